"""Outages of the API: a command that waits for something outlives a restart of what it asks."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import httpx2 as httpx

GIVE_UP_AFTER: Final = 3600.0
"""Seconds after which an API that does not come back is given up: longer than an upgrade, shorter than a night."""

_FIRST, _LONGEST = 0.2, 10.0
_UNAVAILABLE: Final[dict[int, str]] = {
    httpx.codes.BAD_GATEWAY: "bad gateway",
    httpx.codes.SERVICE_UNAVAILABLE: "unavailable",
    httpx.codes.GATEWAY_TIMEOUT: "gateway timeout",
}


@dataclass(frozen=True)
class Patience:
    """How an outage is waited out: `tell` is given a line when it begins and when it is over."""

    tell: Callable[[str], None]
    give_up_after: float = GIVE_UP_AFTER
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def ask(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        """What the API answers in the end. Raises the last TransportError when its time is up."""
        began = self.clock()
        told = False
        for pause in _pauses():
            try:
                answer = ask()
            except httpx.TransportError as error:
                if self.clock() - began >= self.give_up_after:
                    raise
                why, least = f"{error}" or type(error).__name__, 0.0
            else:
                if not (reason := _UNAVAILABLE.get(answer.status_code)) or self.clock() - began >= self.give_up_after:
                    if told:
                        self.tell("the API answers again")
                    return answer
                why, least = f"{answer.status_code} {reason}", _retry_after(answer)
            if not told:
                self.tell(f"the API does not answer ({why}); trying again for up to {_span(self.give_up_after)}")
                told = True
            left = began + self.give_up_after - self.clock()
            self.sleep(max(0.0, min(max(pause, least), left)))
        raise AssertionError("the pauses have no end")


def is_outage(answer: httpx.Response) -> bool:
    """Whether an answer says that the API, or what stands before it, is unavailable for the moment."""
    return answer.status_code in _UNAVAILABLE


def _pauses() -> Iterator[float]:
    pause = _FIRST
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST)


def _retry_after(answer: httpx.Response) -> float:
    """The seconds after which the server wants to be asked again, within reason; a date is not waited for."""
    told = answer.headers.get("retry-after", "")
    return min(float(told), _LONGEST) if told.isascii() and told.isdigit() else 0.0


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 60 else f"{seconds:.0f} s"
