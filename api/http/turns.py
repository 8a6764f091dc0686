"""Turns at the event loop: of the requests that one asker has under way, only so many are worked on at a time.

The loop serves what is ready in the order of its coming. Without turns, somebody who sends hundreds of requests at once
is hundreds of steps ahead of everybody else at each of theirs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.fair_pool import asking_as

AT_ONCE = 4
"""Requests of one asker that are worked on: enough to keep the process busy while some wait for the database."""

LONGEST = 0.25
"""Seconds after which a request gives its turn back: what takes longer waits for somebody, and not for the loop."""

AskerOf = Callable[[Scope], str]
"""Tells who sends a request, before anything of it is looked up."""


@dataclass
class _Queue:
    """The turns of one asker; those who wait are served in the order of their coming."""

    free: asyncio.Semaphore
    users: int = 0


@dataclass
class TurnsMiddleware:
    """Lets each asker's requests wait while `at_once` of theirs are worked on; begun answers need no turn any more.

    The connections to the database that a request takes are counted as its asker's, too, until its caller is known.
    """

    app: ASGIApp
    asker_of: AskerOf
    at_once: int = AT_ONCE
    longest: float = LONGEST
    _queues: dict[str, _Queue] = field(default_factory=dict, init=False, repr=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request when it is its turn."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asker = self.asker_of(scope)
        queue = self._queues.setdefault(asker, _Queue(asyncio.Semaphore(self.at_once)))
        queue.users += 1
        try:
            await queue.free.acquire()
            with asking_as(asker):
                await self._with_turn(queue, scope, receive, send)
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[asker]

    async def _with_turn(self, queue: _Queue, scope: Scope, receive: Receive, send: Send) -> None:
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                queue.free.release()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                end()
            await send(message)

        timer = asyncio.get_running_loop().call_later(self.longest, end)
        try:
            await self.app(scope, receive, answer)
        finally:
            timer.cancel()
            end()
