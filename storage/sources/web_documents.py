"""Reads documents of one web server, politely: at a rate, within bounds, and nowhere else than where it was sent."""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from models.errors import Refusal, SourceUnreadable
from storage.connections import JudgedConnection
from storage.names import Resolver, addresses_of

MAX_DOCUMENT_BYTES: Final = 64 * 1024**2
"""Of one page; a thousand items with long properties have a few."""
MAX_REDIRECTS: Final = 5
MAX_TRIES: Final = 5
MAX_WAIT: Final = 300.0
"""Seconds that a server may have us wait; one that wants more is not there today."""

_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"Accept": "application/geo+json, application/json", "Accept-Encoding": "gzip"}
_BLOCK: Final = 1024**2


class Request(NamedTuple):
    """What to ask for; a `body` is sent by POST."""

    url: str
    body: dict[str, Any] | None = None


class WebDocuments:
    """Asks one server; `rate` is in requests a second."""

    def __init__(
        self,
        base: str,
        *,
        rate: float = 5.0,
        resolve: Resolver = addresses_of,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._origin = origin_of(base)
        self._every, self._next = 1 / rate, 0.0
        self._pause, self._clock = pause, clock
        self._pools = PoolManager(timeout=Timeout(connect=10, read=60), retries=False)
        self._pools.pool_classes_by_scheme = _pools(resolve)

    def read(self, request: Request) -> bytes:
        """The content behind a URL. Raises SourceUnreadable where it could not be had, Refusal where it may not."""
        for attempt in range(1, MAX_TRIES + 1):
            self._wait_for_turn()
            try:
                answer = self._followed(request)
                if answer.status not in _AGAIN:
                    return _content(answer)
                why, wait = f"it answers {answer.status}", _wanted_wait(answer.headers) or 2.0**attempt
            except HTTPError as error:
                why, wait = f"it does not answer ({type(error).__name__})", 2.0**attempt
            if wait > MAX_WAIT:
                raise SourceUnreadable(f"{why}, and wants to be left alone for {wait:,.0f} s")
            if attempt < MAX_TRIES:
                self._pause(wait)
        raise SourceUnreadable(f"{why}, {MAX_TRIES} times")

    def check(self, url: str) -> None:
        """Raise Refusal for a URL that leads elsewhere: a document must not send us to other servers."""
        if origin_of(url) != self._origin:
            raise Refusal(f"{url} is at another server than {self._origin}, which alone is asked")

    def _wait_for_turn(self) -> None:
        now = self._clock()
        if now < self._next:
            self._pause(self._next - now)
        self._next = max(now, self._next) + self._every

    def _followed(self, request: Request) -> BaseHTTPResponse:
        url, body = request
        for _ in range(MAX_REDIRECTS + 1):
            self.check(url)
            method, content = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
            headers = _HEADERS if body is None else {**_HEADERS, "Content-Type": "application/json"}
            answer = self._pools.request(
                method, url, body=content, headers=headers, redirect=False, preload_content=False
            )
            where = answer.headers.get("Location")
            if answer.status not in _MOVED or where is None:
                return answer
            answer.drain_conn()
            url = urljoin(url, where)
            if answer.status == 303:
                body = None
        raise SourceUnreadable("it leads from one place to another without an end")


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL of the web; raises Refusal for any other, and for one with a password in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refusal(f"{url} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refusal(f"{url} is no URL of the web")
    if "@" in parts.netloc:
        raise Refusal("a URL with a name or password in it would be kept and shown; give one without")
    return f"{parts.scheme}://{parts.hostname}:{port or (443 if parts.scheme == 'https' else 80)}"


def _content(answer: BaseHTTPResponse) -> bytes:
    with answer:
        if answer.status != 200:
            raise SourceUnreadable(f"it answers {answer.status}")
        found = bytearray()
        for block in _blocks(answer):
            found += block
            if len(found) > MAX_DOCUMENT_BYTES:
                raise SourceUnreadable(f"it has more than {MAX_DOCUMENT_BYTES:,} bytes; ask for smaller pages")
        return bytes(found)


def _blocks(answer: BaseHTTPResponse) -> Iterable[bytes]:
    return answer.stream(_BLOCK, decode_content=True)


def _wanted_wait(headers: HTTPHeaderDict) -> float | None:
    """The seconds that a server asks to be left alone; a date is not read, and means the usual ones."""
    said = headers.get("Retry-After", "").strip()
    return float(said) if said.isascii() and said.isdigit() else None


def _pools(find: Resolver) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(JudgedConnection, HTTPConnection):
        resolve = staticmethod(find)

    class Encrypted(JudgedConnection, HTTPSConnection):
        resolve = staticmethod(find)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
