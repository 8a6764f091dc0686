"""Requests with an Idempotency-Key: sent again with the same key, they get the same answer and have no second effect.

Ours: the packages for it are abandoned, and none keeps the answer in the transaction that has the effect.
The table knows keys by their hashes, and no answer that shows a secret.

Follows the IETF draft "The Idempotency-Key HTTP Header Field".
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID, uuid5

import orjson
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from api.http.answers import TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, answers
from api.http.container import Container, services
from models.access import Caller
from models.errors import Gone, KeyInFlight, KeyReused
from models.queries import idempotency as queries

KEPT_FOR = timedelta(hours=24)

HELD_FOR = timedelta(minutes=1)
"""How long a command without an answer yet holds its key; longer than any takes, unless this process has died."""

REPLAYED = "Idempotency-Replayed"
"""The header of a replayed answer; nothing has been created this time."""

_JSON = "application/json"

IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same request with the same key within 24 hours has no second effect and gets the same answer.",
    ),
]


@dataclass(frozen=True)
class IdempotentRequest:
    """One request that creates or commands something, and its key, if it has one."""

    request: Request
    services: Container
    key: str | None

    async def replay(self, session: AsyncSession, caller: Caller) -> Response | None:
        """The answer that this request got before; to be asked in the transaction that has the effect.

        Raises KeyInFlight while another request holds the key, KeyReused if it was for something else, and
        Gone if the answer held a secret: what shows one is kept nowhere.
        """
        if self.key is None:
            return None
        lookup = {"caller": caller.customer, "key": self.key}
        if not (await session.execute(queries.TAKE, lookup)).scalar_one():
            raise KeyInFlight
        known = queries.kept(caller.customer, self._key_hash(caller), self.services.now())
        row = (await session.execute(known)).scalar_one_or_none()
        if row is None:
            return None
        if row.request_hash != await self._hash():
            raise KeyReused
        if row.status is None:
            raise KeyInFlight
        if _shows_a_secret(row.headers):
            raise Gone(
                f"what this key created is there, at {row.headers.get('Location')}, and its secret was shown once only:"
                " if that answer was lost, delete it and make another with another key"
            )
        return _response(row.status, row.body, {**row.headers, REPLAYED: "true"})

    async def respond(
        self,
        session: AsyncSession,
        caller: Caller,
        body: BaseModel | None,
        headers: Mapping[str, str],
        *,
        status: int = 201,
    ) -> Response:
        """The answer, stored for a replay in the transaction that has the effect; of one that shows a secret, which
        `Cache-Control: no-store` tells, no more is stored than that there was one.
        """
        content = _json(body)
        if self.key is not None:
            kept = b"" if _shows_a_secret(headers) else content
            await self._keep(session, caller, KEPT_FOR, status=status, headers=dict(headers), body=kept)
        return _response(status, content, headers)

    async def run(
        self, caller: Caller, work: Callable[[], Awaitable[BaseModel | None]], *, status: int = 200
    ) -> Response:
        """Run a command, whose effect is not in the database, and answer; the key is held meanwhile.

        Should this process die meanwhile, the same request may be made again when the key is free, and by its
        `command_id` has its effect once all the same. A refusal frees the key at once.
        """
        if self.key is None:
            return _response(status, _json(await work()), {})
        sessions = self.services.sessions
        async with sessions.begin() as session:
            if (answered := await self.replay(session, caller)) is not None:
                return answered
            await self._keep(session, caller, HELD_FOR, status=None, headers={}, body=b"")
        try:
            body = await work()
        except Exception:
            async with sessions.begin() as session:
                await session.execute(queries.free(caller.customer, self._key_hash(caller)))
            raise
        async with sessions.begin() as session:
            return await self.respond(session, caller, body, {}, status=status)

    async def command_id(self, caller: Caller, order_id: UUID) -> str:
        """The id of a command: the same for the same request with the same key, else one that never comes again."""
        if self.key is None:
            return str(uuid5(order_id, self.services.now().isoformat()))
        return f"key-{uuid5(order_id, f'{caller.customer} {(await self._hash()).hex()} {self.key}')}"

    async def _keep(self, session: AsyncSession, caller: Caller, span: timedelta, **answer: Any) -> None:
        now = self.services.now()
        lookup = {"caller": caller.customer, "key": self._key_hash(caller), "request_hash": await self._hash()}
        await session.execute(queries.sweep(now))
        await session.execute(queries.keep({**lookup, **answer, "expires_at": now + span}))

    async def _hash(self) -> bytes:
        """The hash of method, URL and body; of a JSON body white space and order of members do not count."""
        body = await self.request.body()
        # A route that takes no body ignores whatever comes, and so may anybody.
        with suppress(orjson.JSONDecodeError):
            body = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
        url = self.request.url
        return hashlib.sha256(
            b"\0".join([self.request.method.encode(), url.path.encode(), url.query.encode(), body])
        ).digest()

    def _key_hash(self, caller: Caller) -> str:
        """What the table knows of the key: enough to find it again."""
        return hashlib.sha256(f"{caller.customer}\n{self.key}".encode()).hexdigest()


def _shows_a_secret(headers: Mapping[str, str]) -> bool:
    """Whether an answer with these headers may be kept by nobody, and so not by us."""
    return "no-store" in headers.get("Cache-Control", "")


def _json(body: BaseModel | None) -> bytes:
    return b"" if body is None else body.__pydantic_serializer__.to_json(body)


def _response(status: int, content: bytes, headers: Mapping[str, str]) -> Response:
    return Response(content, status, dict(headers), _JSON if content else None)


@answers(KeyInFlight, KeyReused, Gone, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)
async def idempotent_request(request: Request, key: IdempotencyKeyHeader = None) -> IdempotentRequest:
    """The dependency of a route that creates or commands something."""
    return IdempotentRequest(request, services(request), key)


IdempotentDep = Annotated[IdempotentRequest, Depends(idempotent_request)]
