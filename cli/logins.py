"""The logins of this machine's user: for each API the tokens that its identity provider gave, for their eyes alone."""

import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import typer

from cli.errors import CommandFailed
from cli.private_files import new_private_file

if TYPE_CHECKING:
    import httpx2

_LEFT_OVER: Final = 30
"""Seconds that a token has to be good for yet when it is shown: clocks differ, and requests take their time."""


@dataclass(frozen=True)
class Tokens:
    """What an identity provider gave for a login; `until` is when the access token ends."""

    issuer: str
    client_id: str
    token_endpoint: str
    access_token: str
    until: float
    refresh_token: str | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the access token can be shown."""
        return self.until - _LEFT_OVER > time.time()

    def with_answer(self, answer: Mapping[str, Any]) -> Self:
        """The same with what the token endpoint has answered; an old refresh token stays where none is new."""
        return replace(
            self,
            access_token=str(answer["access_token"]),
            until=time.time() + float(answer.get("expires_in") or 300),
            refresh_token=answer.get("refresh_token") or self.refresh_token,
        )


class Login:
    """A login at one API."""

    def __init__(self, logins: "Logins", api: str, tokens: Tokens) -> None:
        self._logins, self._api, self._tokens = logins, api, tokens

    def token(self) -> str:
        """An access token that is good now. Raises CommandFailed where the login has ended."""
        if not self._tokens.is_fresh:
            self._tokens = self._logins.renewed(self._api)
        return self._tokens.access_token


class Logins:
    """The file that holds them."""

    def __init__(self, folder: Path | None = None, http: "httpx2.Client | None" = None) -> None:
        self._folder = folder or Path(typer.get_app_dir("consignor"))
        self._path = self._folder / "logins.json"
        self._http = http

    @property
    def latest(self) -> str | None:
        """The API at which somebody has signed in last."""
        return next(reversed(self._read()), None)

    def of(self, api: str) -> Login | None:
        """The login at this API, if there is one."""
        tokens = self._read().get(api)
        return Login(self, api, tokens) if tokens else None

    def keep(self, api: str, tokens: Tokens) -> None:
        """Keep a login; it is the latest one from now on."""
        with self._changing() as known:
            known.pop(api, None)
            known[api] = tokens

    def forget(self, api: str) -> Tokens | None:
        """Forget a login; gives it once more."""
        with self._changing() as known:
            return known.pop(api, None)

    def renewed(self, api: str) -> Tokens:
        """A login with a fresh access token; of two commands at once the second takes what the first got."""
        with self._changing() as known:
            tokens = known.get(api)
            if tokens is None:
                raise CommandFailed(f"you have signed out at {api}; sign in again with `consignor login`")
            if not tokens.is_fresh:
                tokens = known[api] = _refresh(api, tokens, self._http)
        return tokens

    def _read(self) -> dict[str, Tokens]:
        try:
            return {api: Tokens(**tokens) for api, tokens in json.loads(self._path.read_bytes()).items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            raise CommandFailed(
                f"{self._path} is damaged: delete it, and sign in again with `consignor login`"
            ) from None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Tokens]]:
        """The logins to be changed by nobody else meanwhile; the file is replaced by a whole one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_file = self._folder / "logins.lock"
        lock_file.touch(0o600)
        with lock_file.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._read()
            known = dict(before)
            yield known
            if list(known.items()) == list(before.items()):
                return
            new = self._path.with_suffix(".json.new")
            with suppress(FileNotFoundError):
                new.unlink()
            with new_private_file(new) as file:
                json.dump({api: asdict(tokens) for api, tokens in known.items()}, file, indent=1)
            new.replace(self._path)


def _refresh(api: str, tokens: Tokens, http: "httpx2.Client | None") -> Tokens:
    """Have the identity provider give another access token (RFC 6749, section 6)."""
    import httpx2

    ended = f"your login at {api} has ended; sign in again with `consignor login`"
    if tokens.refresh_token is None:
        raise CommandFailed(ended)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": tokens.refresh_token,
        "client_id": tokens.client_id,
    }
    try:
        answer = (http or httpx2.Client(timeout=30)).post(tokens.token_endpoint, data=form)
        if answer.is_client_error:
            raise CommandFailed(ended)
        answer.raise_for_status()
        return tokens.with_answer(answer.json())
    except (httpx2.HTTPError, ValueError, LookupError) as error:
        raise CommandFailed(f"the identity provider {tokens.issuer} does not renew your login ({error})") from None
