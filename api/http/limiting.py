"""How often somebody may ask, how many downloads they may have under way, and the headers that tell of limits.

The headers are those of the IETF draft "RateLimit header fields for HTTP". Requests and downloads are counted in each
process for itself.
"""

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import TooManyDownloads, TooManyRequests

_TOLD = "consignor.limits"


@dataclass(frozen=True)
class RateLimitState:
    """A limit as the headers tell it: its name, how much it allows, what is left, and the seconds it is about."""

    name: str
    limit: int
    remaining: int
    window: int | None = None
    reset: int | None = None

    @property
    def policy(self) -> str:
        """The item of RateLimit-Policy."""
        return f'"{self.name}";q={self.limit}' + (f";w={self.window}" if self.window is not None else "")

    @property
    def left(self) -> str:
        """The item of RateLimit."""
        return f'"{self.name}";r={self.remaining}' + (f";t={self.reset}" if self.reset is not None else "")


def report_limit(request: Request, told: RateLimitState) -> None:
    """Have the answer to this request tell of a limit."""
    request.scope[_TOLD].append(told)


class RateLimitHeaders:
    """A layer that puts what has been told into the headers of the answer, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        told: list[RateLimitState] = []

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and told:
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = ", ".join(limit.policy for limit in told)
                headers["RateLimit"] = ", ".join(limit.left for limit in told)
            await send(message)

        scope[_TOLD] = told
        await self._app(scope, receive, answer)


@dataclass
class RequestRate:
    """A token bucket for each caller: `burst` requests at once, `per_second` more with every second; 0 is no limit."""

    per_second: int = 0
    burst: int = 0
    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict, init=False, repr=False)

    def take(self, request: Request, caller: str) -> None:
        """Count a request, and tell what is left. Raises TooManyRequests."""
        if not self.per_second:
            return
        now, size = self.clock(), max(self.burst, self.per_second)
        self._forget(now - size / self.per_second)
        left, at = self._left.pop(caller, (float(size), now))
        left = min(size, left + (now - at) * self.per_second)
        taken = left >= 1
        # Last, so that those who have not asked for the longest time are the first.
        self._left[caller] = (left - 1 if taken else left, now)
        remaining = int(left - 1) if taken else 0
        window, full = math.ceil(size / self.per_second), math.ceil((size - remaining) / self.per_second)
        report_limit(request, RateLimitState("requests", size, remaining, window, full))
        if not taken:
            raise TooManyRequests(f"{self.per_second} requests a second", math.ceil((1 - left) / self.per_second))

    def _forget(self, before: float) -> None:
        """Whoever has not asked since has a full bucket again, as has everybody new."""
        while self._left:
            caller, (_, at) = next(iter(self._left.items()))
            if at > before:
                return
            del self._left[caller]


@dataclass
class ParallelDownloads:
    """How many downloads each customer has under way; 0 is no limit."""

    limit: int = 0
    _under_way: Counter[str] = field(default_factory=Counter, init=False, repr=False)

    def begin(self, whose: str) -> None:
        """Count a download. Raises TooManyDownloads."""
        if self.limit and self._under_way[whose] >= self.limit:
            raise TooManyDownloads(self.limit)
        self._under_way[whose] += 1

    def end(self, whose: str) -> None:
        """It is over, well or not."""
        self._under_way[whose] -= 1
        if not self._under_way[whose]:
            del self._under_way[whose]
