"""Which bytes of a download have arrived: what a response adds to what earlier ones have covered."""

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """Bytes from `start` up to, not including, `stop`."""

    start: int
    stop: int


class Sent:
    """The bytes that one response has sent, in the order it sent them."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def add(self, span: Span) -> None:
        """Note bytes that were handed to the network behind all earlier ones."""
        if self._spans and self._spans[-1].stop == span.start:
            span = Span(self._spans.pop().start, span.stop)
        if span.start < span.stop:
            self._spans.append(span)

    def arrived(self, unacknowledged: int = 0) -> list[Span]:
        """What has arrived when the last so many bytes have not been acknowledged."""
        arrived = list(self._spans)
        while unacknowledged > 0 and arrived:
            start, stop = arrived.pop()
            if (rest := stop - start - unacknowledged) > 0:
                arrived.append(Span(start, start + rest))
                break
            unacknowledged -= stop - start
        return arrived


def multirange(spans: Iterable[Span]) -> str:
    """The spans as PostgreSQL reads an int8multirange."""
    return "{" + ",".join(f"[{start},{stop})" for start, stop in spans) + "}"
