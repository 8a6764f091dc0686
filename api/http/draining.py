"""Draining: a process that is about to stop takes no new work and finishes the requests in progress."""

import asyncio


class Draining:
    """How many requests are in progress, and whether the process is about to stop."""

    def __init__(self) -> None:
        self.started = False
        self.requests = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self) -> None:
        """Refuse new work from now on."""
        self.started = True

    def enter(self) -> None:
        """A request begins."""
        self.requests += 1
        self._idle.clear()

    def leave(self) -> None:
        """A request has ended, however it did."""
        self.requests -= 1
        if not self.requests:
            self._idle.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until no request is in progress, at most so many seconds; returns whether that came true."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
