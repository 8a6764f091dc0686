"""The HTTP/1.1 protocol of the server: Uvicorn's, with bounds for what one connection may take.

Nothing here asks who a client is: heads are bounded in size and time, bodies have to come at a minimum rate, answers
have to be taken, and nothing becomes a WebSocket. Uvicorn bounds none of these by itself.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import httptools
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.connection_monitor import EXTENSION, ConnectionMonitor
from api.http.refusals import BODY_LATE, HEAD_LATE, UNREADABLE, Count, Reason, head_too_large, refusal, uncounted
from api.http.untaken import UntakenAnswers

MAX_PIPELINED = 100
"""Requests that may wait on one connection for the answer before theirs; Uvicorn itself takes any number."""

MAX_UNREAD = 256 * 1024
"""Bytes of a body that are taken, and thrown away, after its request has been answered; most clients send no more."""

_CHUNKING = 8
"""Bytes that may frame one byte of a body; chunks of a single byte have five."""

_LINGER = 2.0
"""Seconds for a client to read why it is refused: closed at once, the kernel throws away what it has not read yet."""

_DROP_EVERY = 0.005
"""Seconds between two blocks that are thrown away meanwhile."""


@dataclass(frozen=True)
class ConnectionBounds:
    """What one connection may take of the server."""

    head_bytes: int = 64 * 1024
    """The most that request line and header fields may have together."""
    head_timeout: float = 10.0
    """Seconds until the head of a request has to be there, counted from its beginning or the connection's."""
    body_grace: float = 20.0
    """Seconds that a body may take however little comes."""
    body_rate: float = 1024.0
    """Bytes of a body that have to come in each further second, on the average."""
    stalled_after: float = 300.0
    """Seconds after which a client that takes nothing of its answer is cut off."""


class _Refused(Exception):
    """Raised in a callback of the parser, which then takes no more of the request."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol with bounds, which also hands its applications the connection."""

    monitor: ConnectionMonitor
    _untaken: UntakenAnswers

    def __init__(
        self,
        *arguments: Any,
        bounds: ConnectionBounds = ConnectionBounds(),
        count: Count = uncounted,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._bounds, self._count = bounds, count
        self._reading: Literal["head", "body"] | None = None
        """What of a request is under way from the client; None between requests."""
        self._head = self._body = self._unsorted = 0
        """Bytes of the request: of its head and body as the parser sorts them, and those it has not sorted yet."""
        self._began = 0.0
        self._read_timer: asyncio.TimerHandle | None = None
        self._reason: Reason | None = None
        self._is_lingering = self._over = False
        """Whether nothing more is read of this connection."""

    # What the transport says

    def connection_made(self, transport: Any) -> None:
        """A client has come."""
        super().connection_made(transport)
        self.monitor = ConnectionMonitor(transport)
        self._untaken = UntakenAnswers(self.monitor, transport, self.flow, self._bounds.stalled_after)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Bytes of a client; those behind a refusal are dropped."""
        if self._over:
            self._drop()
            return
        self._unset_keepalive_if_required()
        part, sorted_before = self._reading, self._body
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # What was asked for is answered as HTTP/1.1 (RFC 9110, section 7.8); what follows may be anything.
            self._end_after_answers()
            return
        except httptools.HttpParserError:
            self._refuse(self._reason or UNREADABLE)
            return
        if part is not None and part == self._reading:
            # The parser tells a field when it ends, and keeps what there is of it until then; trailers as well.
            self._unsorted += len(data) - (self._body - sorted_before)
            if self._unsorted > self._bounds.head_bytes + self._body * _CHUNKING:
                self._refuse(head_too_large(self._bounds.head_bytes))
                return
        if self._reading == "body" and self._body > MAX_UNREAD and self.cycle.response_complete:
            # Refused before it was read, and it goes on coming.
            self._linger()
            return
        self._watch_reading()

    def eof_received(self) -> None:
        """The client sends no more; the last moment to see what has arrived there."""
        self.monitor.left_at_eof = self.monitor.unacknowledged()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was cut."""
        self.monitor.is_lost = True
        self.monitor.is_broken |= exc is not None
        self._stop_read_timer()
        self._untaken.stop()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take what is sent, at least not as fast as that comes."""
        super().pause_writing()
        self._untaken.watch()

    def resume_writing(self) -> None:
        """The client has taken it."""
        self._untaken.note_resumed()
        super().resume_writing()

    # What the parser says

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._reading, self._head, self._body, self._unsorted = "head", 0, 0, 0
        self.monitor.requests += 1
        self.scope["extensions"] = {EXTENSION: self.monitor}  # type: ignore[dict-item]

    def on_url(self, url: bytes) -> None:
        """A part of the request's target."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head."""
        self._count_head(len(name) + len(value) + len(b": \r\n"))
        # A trailer is no header (RFC 9110, section 6.5.1): what it says was not there when the request was looked at.
        if self._reading == "head":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete: the application begins, or waits for those before it."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _Refused
        super().on_headers_complete()
        self._stop_read_timer()
        self._reading, self._unsorted, self._began = "body", 0, self.loop.time()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._reading = None
        self._stop_read_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer has been written, which does not mean that it has been taken."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._untaken.watch()

    # Heads and bodies that do not come

    def _count_head(self, size: int) -> None:
        self._head += size
        if self._head > self._bounds.head_bytes:
            self._reason = head_too_large(self._bounds.head_bytes)
            raise _Refused

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch_reading(self) -> None:
        """Have a timer run while the client owes something."""
        if self._read_timer is not None or self.transport.is_closing():
            return
        if self._reading == "body":
            self._read_timer = self.loop.call_later(self._bounds.body_grace, self._check_body)
        elif self._reading == "head" or not self._is_answering:
            self._await_head()

    def _await_head(self) -> None:
        self._read_timer = self.loop.call_later(self._bounds.head_timeout, self._head_is_late)

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _head_is_late(self) -> None:
        self._read_timer = None
        if self.flow.read_paused:
            # It is not the client that keeps it back.
            self._await_head()
        elif self._reading is None:
            # Nothing was asked, as browsers do that connect ahead of time.
            self.transport.close()
        else:
            self._refuse(HEAD_LATE)

    def _check_body(self) -> None:
        bounds, now = self._bounds, self.loop.time()
        self._read_timer = None
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            # It is not the client that keeps it back.
            self._began = now - self._body / bounds.body_rate
        due = self._began + bounds.body_grace + self._body / bounds.body_rate
        if now < due and not self.cycle.response_complete:
            self._read_timer = self.loop.call_later(due - now, self._check_body)
        else:
            self._refuse(BODY_LATE)

    # Ends

    def _refuse(self, reason: Reason) -> None:
        """Answer what no application answers, if there is room for an answer, and end the connection."""
        if self._reading == "body" and self._is_answering and (self.pipeline or self.cycle.response_started):
            # A request whose answer has begun, or that waits for another's: no place for a word.
            self.monitor.cut()
        elif self._reading != "body" and self._is_answering:
            self._end_after_answers()
        elif self.cycle is not None and self._reading == "body" and self.cycle.response_complete:
            self.transport.close()
        else:
            self._answer(reason)

    def _answer(self, reason: Reason) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(refusal(reason, self._count))
        if self._is_answering:
            # To the application the client has gone.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._linger()

    def _drop(self) -> None:
        """Throw away what is not read any more, a block at a time: a client that sends on and on costs nobody else."""
        if self._is_lingering and not self.transport.is_closing():
            self.transport.pause_reading()
            self.loop.call_later(_DROP_EVERY, self._drop_on)

    def _drop_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _linger(self) -> None:
        """End the connection, and leave the client the time to read what it was answered."""
        self._over = self._is_lingering = True
        self._stop_read_timer()
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.abort)

    def _end_after_answers(self) -> None:
        """Answer what has been asked so far, and nothing more."""
        self._over = True
        self._stop_read_timer()
        self.cycle.keep_alive = False


def server_config(
    app: ASGIApp, bounds: ConnectionBounds = ConnectionBounds(), *, count: Count = uncounted, **options: Any
) -> uvicorn.Config:
    """How Uvicorn serves the facade, wherever it does: one place, so that tests serve it as it is."""
    protocol = cast("type[asyncio.Protocol]", partial(BoundedHttpProtocol, bounds=bounds, count=count))
    return uvicorn.Config(app, http=protocol, ws="none", access_log=False, log_config=None, **options)
