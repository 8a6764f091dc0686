"""Draining: a process that is about to stop takes nothing new and lets what is under way come to its end."""

import asyncio


class Draining:
    """How many requests are under way, and whether the process is about to stop."""

    def __init__(self) -> None:
        self.begun = False
        self.under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self) -> None:
        """Take nothing new from now on."""
        self.begun = True

    def enter(self) -> None:
        """A request begins."""
        self.under_way += 1
        self._idle.clear()

    def leave(self) -> None:
        """A request has ended, however it did."""
        self.under_way -= 1
        if not self.under_way:
            self._idle.set()

    async def over(self, patience: float) -> bool:
        """Wait until nothing is under way, at most `patience` seconds; tells whether that came true."""
        try:
            async with asyncio.timeout(patience):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
