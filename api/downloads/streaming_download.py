"""The response that sends a download: spans of bytes, whose arrival is monitored, to clients however slow."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Protocol

from starlette.types import Receive, Scope, Send

from api.http.connection_monitor import ConnectionMonitor
from api.http.lasting import LastingResponse, LastingRight
from models.coverage import Sent, Span

SEEN_EVERY = 20.0
"""Seconds between two reports of a download; a third of the time after which it counts as ended."""

_CONFIRM_FIRST, _CONFIRM_LAST = 0.002, 1.0

Pieces = AsyncGenerator[tuple[Span | None, memoryview | bytes], None]
"""What is sent, each with the span of the representation it is, or None for what separates spans."""


class DownloadListener(Protocol):
    """Follows the progress of a download."""

    async def on_start(self) -> None:
        """The first byte is about to be sent."""

    async def on_progress(self, arrived: list[Span]) -> None:
        """The download goes on, and so much has arrived."""

    async def on_end(self, arrived: list[Span], *, whole: bool) -> None:
        """The download has ended, completely or not, as `whole` says."""


class StreamingDownload(LastingResponse):
    """A response whose bytes are counted as they arrive. A client that takes nothing for too long is cut off."""

    def __init__(
        self,
        pieces: Pieces,
        listener: DownloadListener,
        right: LastingRight,
        *,
        status_code: int,
        headers: dict[str, str],
        stalled_after: float,
    ) -> None:
        super().__init__((), right, status_code=status_code, headers=headers)
        self._pieces, self._listener, self._stalled_after = pieces, listener, stalled_after
        self._sent, self._arrived = Sent(), list[Span]()
        self._monitor: ConnectionMonitor | None = None
        self._request = self._bytes = 0
        self._is_sent = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, and report the end also when the client has gone or the server stops."""
        self._monitor = ConnectionMonitor.of(scope)
        self._request = self._monitor.requests if self._monitor else 0
        try:
            await self._listener.on_start()
        except BaseException:
            await self._pieces.aclose()
            raise
        watching = asyncio.create_task(self._watch())
        try:
            await super().__call__(scope, receive, send)
        finally:
            watching.cancel()
            self._conclude()
            # Not in this task: one that is cancelled can ask no database.
            whole = self._is_sent and self._arrived == self._sent.arrived()
            ending = asyncio.create_task(self._listener.on_end(self._arrived, whole=whole))
            with suppress(asyncio.CancelledError):
                await asyncio.shield(ending)
            await self._pieces.aclose()

    async def stream_response(self, send: Send) -> None:
        """The pieces, each when the one before has gone out; then wait until the last has arrived."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for span, block in self._pieces:
            await send({"type": "http.response.body", "body": block, "more_body": True})
            self._bytes += len(block)
            if span is not None and not (self._monitor and self._monitor.is_closing):
                self._sent.add(span)
            self._measure()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        self._is_sent = True
        pause = _CONFIRM_FIRST
        while self._on_its_way():
            await asyncio.sleep(pause)
            pause = min(pause * 2, _CONFIRM_LAST)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Wait until the client has gone; that all is sent ends the response by itself."""
        await super().listen_for_disconnect(receive)
        while self._on_its_way():  # noqa: ASYNC110 - the kernel has no event for it
            await asyncio.sleep(_CONFIRM_LAST)

    def _on_its_way(self) -> bool:
        """Whether bytes of this response may still arrive; notes what has."""
        monitor = self._monitor
        if monitor is None or monitor.is_lost or monitor.requests != self._request:
            return False
        return bool(self._measure())

    def _measure(self) -> int | None:
        """Note what has arrived; gives what has not."""
        left = self._monitor.unacknowledged() if self._monitor else 0
        if left is not None:
            self._arrived = self._sent.arrived(left)
        return left

    def _conclude(self) -> None:
        """What has arrived in the end, as far as a lost connection lets it be known."""
        monitor = self._monitor
        if monitor is None or monitor.requests != self._request:
            # A client asks for the next thing when it has read this one.
            self._arrived = self._sent.arrived()
        elif monitor.left_at_eof is not None:
            self._arrived = self._sent.arrived(monitor.left_at_eof)
        elif monitor.is_lost and not monitor.is_broken:
            self._arrived = self._sent.arrived()
        elif not monitor.is_lost:
            self._measure()

    async def _watch(self) -> None:
        """Report now and then, and cut off a client that takes nothing."""
        loop = asyncio.get_running_loop()
        moved, progress, reported = loop.time(), -1, loop.time()
        while True:
            await asyncio.sleep(min(SEEN_EVERY, self._stalled_after / 4))
            now = loop.time()
            left = self._measure()
            if left is not None and self._bytes - left != progress:
                moved, progress = now, self._bytes - left
            elif self._monitor and now - moved >= self._stalled_after:
                self._monitor.cut()
            if now - reported >= SEEN_EVERY:
                reported = now
                await self._listener.on_progress(self._arrived)
