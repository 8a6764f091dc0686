"""Limits on the rate of requests and on what is under way at a time, and the headers that report limits.

The headers are those of the IETF draft "RateLimit header fields for HTTP". All is counted in each process for
itself.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import Refusal, ServerBusy, TooManyRequests

_LIMITS = "consignor.limits"


@dataclass(frozen=True)
class RateLimitState:
    """A limit as the headers report it: its name, what it allows, what remains, and its window in seconds."""

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
    def remainder(self) -> str:
        """The item of RateLimit."""
        return f'"{self.name}";r={self.remaining}' + (f";t={self.reset}" if self.reset is not None else "")


def report_limit(request: Request, limit: RateLimitState) -> None:
    """Report a limit in the headers of the answer to this request."""
    request.scope[_LIMITS].append(limit)


class RateLimitHeaders:
    """Writes the limits that were reported into the headers of the answer, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        limits: list[RateLimitState] = []

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and limits:
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = ", ".join(limit.policy for limit in limits)
                headers["RateLimit"] = ", ".join(limit.remainder for limit in limits)
            await send(message)

        scope[_LIMITS] = limits
        await self._app(scope, receive, answer)


@dataclass
class RequestRate:
    """A token bucket for each caller: `burst` requests at once, `per_second` more with every second; 0 is no limit."""

    per_second: int = 0
    burst: int = 0
    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict, init=False, repr=False)

    def take(self, request: Request, caller: str) -> None:
        """Count a request, and report what remains. Raises TooManyRequests."""
        if not self.per_second:
            return
        now, size = self.clock(), max(self.burst, self.per_second)
        self._forget(now - size / self.per_second)
        left, at = self._left.pop(caller, (float(size), now))
        left = min(size, left + (now - at) * self.per_second)
        taken = left >= 1
        # Put last, so that the first is the one that has sent nothing for the longest time.
        self._left[caller] = (left - 1 if taken else left, now)
        remaining = int(left - 1) if taken else 0
        window, full = math.ceil(size / self.per_second), math.ceil((size - remaining) / self.per_second)
        report_limit(request, RateLimitState("requests", size, remaining, window, full))
        if not taken:
            raise TooManyRequests(f"{self.per_second} requests a second", math.ceil((1 - left) / self.per_second))

    def _forget(self, before: float) -> None:
        """Drop the buckets that have filled up again since: a caller without one starts with a full one."""
        while self._left:
            caller, (_, at) = next(iter(self._left.items()))
            if at > before:
                return
            del self._left[caller]


class TooMany(Protocol):
    """Makes the refusal of one too many of a kind, given how many a customer may have."""

    noun: str

    def __call__(self, limit: int, /) -> Refusal:
        """The refusal."""


@dataclass
class AtATime:
    """Refuses one too many as a request that comes too soon."""

    noun: str

    def __call__(self, limit: int, /) -> TooManyRequests:
        """The refusal; it is worth trying again after a second."""
        return TooManyRequests(f"{limit} {self.noun} at a time", 1)


@dataclass
class Ceiling:
    """How many of one kind each customer may have under way at a time, and this process in all; 0 is no limit."""

    refusal: TooMany
    limit: int = 0
    total: int = 0
    active: Counter[str] = field(default_factory=Counter, init=False, repr=False)

    def check(self, customer: str) -> None:
        """Raise the refusal of one more, or ServerBusy where the customer has room and the process has none."""
        if self.limit and self.active[customer] >= self.limit:
            raise self.refusal(self.limit)
        if self.total and self.active.total() >= self.total:
            raise ServerBusy(self.refusal.noun)

    def begin(self, customer: str) -> None:
        """Count one. Raises as `check` does."""
        self.check(customer)
        self.active[customer] += 1

    def end(self, customer: str) -> None:
        """Count one as ended, completely or not."""
        self.active[customer] -= 1
        if not self.active[customer]:
            del self.active[customer]

    @contextmanager
    def room(self, customer: str) -> Iterator[None]:
        """Count one as long as the block lasts. Raises as `begin` does."""
        self.begin(customer)
        try:
            yield
        finally:
            self.end(customer)
