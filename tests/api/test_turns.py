"""Turns at the event loop: a crowd of one asker's requests is worked on a few at a time, and others' at once."""

import asyncio
from collections import Counter

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from api.dependencies import Services
from api.http.turns import TurnsMiddleware
from api.identity.authenticate import asker_of
from database.fair_pool import asking_as
from database.known_askers import STRANGERS

AT_ONCE = 2


class _Site:
    """An application whose requests wait until they may go on, and then begin an answer or end."""

    def __init__(self, longest: float = 60.0) -> None:
        self.begun: Counter[str] = Counter()
        self.sent: list[str] = []
        self.answers, self.go_on, self.seen = asyncio.Event(), asyncio.Event(), asyncio.Condition()
        self.turns = TurnsMiddleware(self._app, lambda scope: str(scope["path"]), AT_ONCE, longest)

    async def _app(self, scope: Scope, _receive: Receive, send: Send) -> None:
        async with self.seen:
            self.begun[scope["path"]] += 1
            self.seen.notify_all()
        await self.answers.wait()
        await send({"type": "http.response.start"})
        await self.go_on.wait()

    async def send(self, message: Message) -> None:
        self.sent.append(message["type"])

    async def receive(self) -> Message:
        return {"type": "http.request"}

    def ask(self, asker: str, times: int = 1) -> list[asyncio.Task[None]]:
        scope = {"type": "http", "path": asker}
        return [asyncio.create_task(self.turns(scope, self.receive, self.send)) for _ in range(times)]

    async def until(self, asker: str, count: int) -> None:
        async with asyncio.timeout(30), self.seen:
            await self.seen.wait_for(lambda: self.begun[asker] == count)


async def test_a_crowd_waits_for_itself_and_nobody_else_does() -> None:
    site = _Site()
    crowd = site.ask("crowd", 50)
    await site.until("crowd", AT_ONCE)
    bystander = site.ask("bystander")
    await site.until("bystander", 1)
    assert site.begun["crowd"] == AT_ONCE
    site.answers.set()
    site.go_on.set()
    await asyncio.gather(*crowd, *bystander)
    assert site.begun == {"crowd": 50, "bystander": 1}


async def test_an_answer_that_has_begun_needs_no_turn_any_more() -> None:
    site = _Site()
    site.answers.set()
    streams = site.ask("crowd", 50)
    await site.until("crowd", 50)
    site.go_on.set()
    await asyncio.gather(*streams)


async def test_what_takes_long_gives_its_turn_back() -> None:
    site = _Site(longest=0)
    slow = site.ask("crowd", 50)
    await site.until("crowd", 50)
    assert not site.sent
    site.answers.set()
    site.go_on.set()
    await asyncio.gather(*slow)


async def test_a_request_that_is_given_up_leaves_its_turn_to_the_next() -> None:
    site = _Site()
    first, second, third, last = site.ask("crowd", 4)
    await site.until("crowd", AT_ONCE)
    third.cancel()
    first.cancel()
    await site.until("crowd", AT_ONCE + 1)
    site.answers.set()
    site.go_on.set()
    await asyncio.gather(second, last)
    assert site.begun["crowd"] == 3


async def test_probes_and_links_wait_for_no_crowd_that_signs_in(app: FastAPI, services: Services) -> None:
    def asker(path: str, **headers: str) -> str:
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        return asker_of({"type": "http", "app": app, "path": path, "headers": fields})

    crowd = asker("/api/v1/login")
    assert crowd == asker("/api/v1/orders", authorization="Bearer nobody's")
    assert len({crowd, asker("/healthz"), asker("/api/v1/links/x/orders/y")}) == 3
    assert asker("/readyz") == asker("/healthz")
    with asking_as(STRANGERS):
        services.askers.ask_as_owner(["Bearer ada's"], "ada")
    assert asker("/api/v1/orders", authorization="Bearer ada's") == "ada"
