"""How long something takes yet, judged by how far it has come since one looks."""

from dataclasses import dataclass, field


@dataclass
class Pace:
    """The pace of something that is measured in bytes, files or whatever grows to a known end."""

    _first: tuple[float, float] | None = field(default=None, init=False)

    def left(self, done: float, total: float, *, now: float) -> float | None:
        """Seconds that are left at the pace so far; None before anything has moved."""
        if self._first is None or done < self._first[0]:
            self._first = done, now
        begin, since = self._first
        if done <= begin or now <= since:
            return None
        return (total - done) * (now - since) / (done - begin)


def span_in_words(seconds: float) -> str:
    """A span of time to the precision that an estimate has, as in `40 s`, `12 min` or `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
