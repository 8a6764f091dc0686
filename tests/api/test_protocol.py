"""What one connection may take of the server: heads, bodies, answers, and requests that are none."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from api.http.framing import FramingMiddleware
from api.http.protocol import MAX_PIPELINED, ConnectionBounds, server_config
from api.operations.metrics import Metrics

QUICK = ConnectionBounds(head_timeout=0.2, body_grace=0.2, stalled_after=0.2)
HOST = "Host: here\r\n"
LONGEST = 30.0


class Site:
    """An application that counts what it answers: bodies are given back, `/much` never ends, `/late` waits."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.late, self.over = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun += 1
        try:
            await (await self._answer(Request(scope, receive)))(scope, receive, send)
        finally:
            self.ended += 1
            self.over.set()

    async def _answer(self, request: Request) -> Response:
        if request.url.path == "/much":
            return StreamingResponse(self._endless())
        if request.url.path == "/refused":
            return Response("no", 401)
        if request.url.path == "/late":
            await self.late.wait()
        try:
            body = await request.body()
        except ClientDisconnect:
            body = b""
        self.headers = list(request.headers.raw)
        return Response(body or b"nothing")

    async def _endless(self) -> AsyncIterator[bytes]:
        while True:
            yield bytes(64 * 1024)
            await asyncio.sleep(0)


@asynccontextmanager
async def served(site: Site, bounds: ConnectionBounds = QUICK, **more: Any) -> AsyncIterator[int]:
    """The port of the application, served as the facade is."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = server_config(
        FramingMiddleware(site), bounds, log_level="critical", lifespan="off", timeout_keep_alive=1, **more
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listening]))  # signals are the test runner's
    try:
        yield listening.getsockname()[1]
    finally:
        site.late.set()
        server.should_exit = server.force_exit = True
        await serving


async def said(port: int, *parts: bytes | str) -> bytes:
    """All that the server answers to these bytes until it ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part.encode() if isinstance(part, str) else part)
            await writer.drain()
        async with asyncio.timeout(LONGEST):
            return await reader.read()
    finally:
        writer.transport.abort()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


HEADS = {
    "a long target": [f"GET /?{'a' * 70_000} HTTP/1.1\r\n{HOST}\r\n"],
    "a long field": [f"GET / HTTP/1.1\r\n{HOST}X: {'a' * 70_000}\r\n\r\n"],
    "many fields": [f"GET / HTTP/1.1\r\n{HOST}", "X: a\r\n" * 12_000, "\r\n"],
    "a field without an end": ["GET / HTTP/1.1\r\nX: ", *(["a" * 100_000] * 6)],
    "a trailer without an end": [f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n", "0\r\nX: "]
    + ["a" * 100_000] * 6,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_a_head_beyond_64_kib_is_431(head: list[str]) -> None:
    async with served(site := Site(), ConnectionBounds()) as port:
        answer = await said(port, *head)
        assert status_of(answer) == 431
        assert b'"code":"head_too_large"' in answer
        assert b"application/problem+json" in answer
    assert site.begun <= 1


async def test_a_head_just_below_that_is_taken_in_pieces() -> None:
    async with served(Site()) as port:
        field = f"X: {'a' * 30_000}"
        begin = f"GET / HTTP/1.1\r\n{HOST}Connection: close\r\n"
        answer = await said(port, begin, field[:9], field[9:] + "\r\n", field + "\r\n", "\r\n")
    assert status_of(answer) == 200


async def test_a_trailer_is_no_header() -> None:
    async with served(site := Site()) as port:
        head = f"POST / HTTP/1.1\r\n{HOST}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await said(port, head, "1\r\na\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
    assert answer.endswith(b"\r\n\r\na")
    assert b"authorization" not in {name for name, _ in site.headers}


LATE = {
    "a head": "GET / HTTP/1.1\r\nHost: he",
    "a body": f"POST / HTTP/1.1\r\n{HOST}Content-Length: 10\r\n\r\nabc",
    "a chunk": f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nab",
}


@pytest.mark.parametrize("half", LATE.values(), ids=LATE)
async def test_what_is_sent_in_half_is_408_and_the_end(half: str) -> None:
    async with served(site := Site()) as port:
        answer = await said(port, half)
        assert status_of(answer) == 408
        assert b'"code":"request_timeout"' in answer
        assert b"connection: close" in answer.lower()
    assert site.begun == site.ended


async def test_a_refusal_is_counted_and_logged_without_anything_of_the_request() -> None:
    metrics = Metrics()
    with capture_logs() as logs:
        async with served(Site(), count=metrics.refused) as port:
            answer = await said(port, f"GET /secret?{'a' * 70_000} HTTP/1.1\r\n{HOST}\r\n")
    (line,) = logs
    assert line.pop("request_id").encode() in answer
    assert line == {"event": "request refused", "log_level": "info", "status": 431, "fault": "head_too_large"}
    assert b'consignor_http_refused_total{fault="head_too_large",status="431"} 1.0' in metrics.text()


SILENT = {"nothing": "", "line ends": "\r\n\r\n", "line ends after an answer": f"GET / HTTP/1.1\r\n{HOST}\r\n\r\n\r\n"}


@pytest.mark.parametrize("sent", SILENT.values(), ids=SILENT)
async def test_a_connection_on_which_nothing_is_asked_is_closed(sent: str) -> None:
    async with served(Site()) as port:
        answer = await said(port, sent)
    assert b" 408 " not in answer


async def test_a_body_that_goes_on_after_its_refusal_ends_the_connection_and_the_refusal_is_read() -> None:
    async with served(Site(), ConnectionBounds()) as port:
        head = f"POST /refused HTTP/1.1\r\n{HOST}Content-Length: {2**40}\r\n\r\n"
        assert status_of(await said(port, head, *[bytes(64 * 1024)] * 8)) == 401


async def test_a_body_that_comes_at_a_good_rate_may_take_longer() -> None:
    bounds = ConnectionBounds(body_grace=0.1, body_rate=10)
    async with served(Site(), bounds) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST / HTTP/1.1\r\n{HOST}Connection: close\r\nContent-Length: 1001\r\n\r\n".encode())
        writer.write(b"a" * 1000)
        # The grace is over by then; the thousand bytes have earned a hundred seconds.
        await asyncio.sleep(0.2)
        writer.write(b"b")
        assert status_of(await reader.read()) == 200
        writer.close()


async def test_a_head_that_stops_behind_a_running_request_does_not_spoil_its_answer() -> None:
    async with served(site := Site()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /late HTTP/1.1\r\n{HOST}\r\nGET / HT".encode())
        await asyncio.sleep(0.3)
        site.late.set()
        answer = await reader.read()
        writer.close()
    assert (answer.count(b"HTTP/1.1 "), status_of(answer)) == (1, 200)


async def test_a_client_that_takes_nothing_of_an_answer_is_cut() -> None:
    async with served(site := Site()) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(f"GET /much HTTP/1.1\r\n{HOST}\r\n".encode())
        async with asyncio.timeout(LONGEST):
            await site.over.wait()
        writer.transport.abort()
    assert site.ended == site.begun


async def test_more_requests_at_once_than_a_connection_may_ask_are_not_kept() -> None:
    async with served(site := Site()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = f"GET /late HTTP/1.1\r\n{HOST}\r\n" + f"GET / HTTP/1.1\r\n{HOST}\r\n" * (2 * MAX_PIPELINED)
        writer.write(asked.encode())
        site.late.set()
        answer = await reader.read()
        writer.close()
    assert answer.count(b"HTTP/1.1 200") == MAX_PIPELINED + 1


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
async def test_an_upgrade_is_answered_at_once_as_plain_http(upgrade: str) -> None:
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    async with served(site := Site(), ConnectionBounds()) as port:
        answer = await said(port, f"GET / HTTP/1.1\r\n{HOST}Connection: Upgrade\r\nUpgrade: {upgrade}\r\n{key}\r\n\0\0")
    assert status_of(answer) == 200
    assert site.begun == 1


REFUSED = {
    "no host": ("GET / HTTP/1.1\r\n\r\n", 400),
    "an empty host": ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    "two hosts": ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    "two hosts in one": ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    "a host with a path": ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "a host with a user": ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    "a port that is none": ("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    "a coding before chunked": (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "codings on two lines": (
        f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        501,
    ),
    "chunked without an end": (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\naa", 400),
    "a length and chunked": (
        f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "no HTTP": ("\x16\x03\x01\x02", 400),
    "a tunnel": ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
async def test_what_rfc_9112_refuses_is_refused_and_the_connection_ends(sent: str, status: int) -> None:
    with capture_logs() as logs:
        async with served(site := Site()) as port:
            answer = await said(port, sent)
    assert status_of(answer) == status
    assert b"application/problem+json" in answer
    assert site.begun == 0
    assert [line for line in logs if line["event"] != "request refused"] == []


@pytest.mark.parametrize("host", ["a", "a.example:8000", "127.0.0.1", "[::1]:80", "a_b-c.d", "xn--mnchen-3ya.de", "a:"])
async def test_a_host_is_any_that_a_url_may_have(host: str) -> None:
    async with served(Site()) as port:
        answer = await said(port, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == 200


async def test_http_1_0_needs_no_host_and_knows_no_chunks() -> None:
    async with served(Site()) as port:
        assert status_of(await said(port, "GET / HTTP/1.0\r\n\r\n")) == 200
        chunked = await said(port, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert status_of(chunked) == 400
