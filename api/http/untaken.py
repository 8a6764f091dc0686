"""Answers that their client does not take: looked at while they wait, and cut when nothing moves for too long."""

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl

from api.http.connection_monitor import ConnectionMonitor


class UntakenAnswers:
    """What one connection has written and its client has not taken yet."""

    def __init__(
        self, monitor: ConnectionMonitor, transport: asyncio.Transport, flow: FlowControl, stalled_after: float
    ) -> None:
        self._monitor, self._transport, self._flow, self._stalled_after = monitor, transport, flow, stalled_after
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._taken: tuple[int, int | None] = (0, None)
        self._taken_at = 0.0
        self._resumed = 0

    def watch(self) -> None:
        """Look now and then from now on, until all is taken."""
        if self._timer is None:
            self._taken, self._taken_at = self._progress(), self._loop.time()
            self._again()

    def note_resumed(self) -> None:
        """Note that the client has taken what was written."""
        self._resumed += 1

    def stop(self) -> None:
        """Look no more: the connection is lost."""
        if self._timer is not None:
            self._timer.cancel()

    def _again(self) -> None:
        self._timer = self._loop.call_later(self._stalled_after / 4, self._look)

    def _progress(self) -> tuple[int, int | None]:
        return self._resumed, self._monitor.unacknowledged()

    def _look(self) -> None:
        self._timer = None
        if not self._flow.write_paused and not self._transport.get_write_buffer_size():
            return
        now, taken = self._loop.time(), self._progress()
        if taken != self._taken:
            self._taken, self._taken_at = taken, now
        elif now - self._taken_at >= self._stalled_after:
            self._monitor.cut()
            return
        self._again()
