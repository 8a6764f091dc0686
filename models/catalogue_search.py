"""The criteria of a search of the catalogue, as values: where, when, which; and the order status of its results."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from models.instants import in_utc
from models.order import OrderStatus
from models.status_facts import AVAILABLE_SUBORDERS, COMES_TO_NOTHING, ORDER_FACTS, ItemStatus
from models.suborder import SubOrderState

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Box(NamedTuple):
    """Degrees; `west` above `east` crosses the antimeridian (RFC 7946, section 5.2)."""

    west: float
    south: float
    east: float
    north: float

    @property
    def crosses(self) -> bool:
        """Whether it crosses the antimeridian."""
        return self.west > self.east

    @property
    def unrolled(self) -> "Box":
        """The same place with its west below its east, which then goes on beyond 180."""
        return self._replace(east=self.east + 360) if self.crosses else self

    @property
    def everywhere(self) -> "tuple[Box, Box, Box]":
        """The same place once more round the earth in both directions, so that unrolled boxes can be compared."""
        west, south, east, north = self.unrolled
        back, here, on = (Box(west + turn, south, east + turn, north) for turn in (-360, 0, 360))
        return back, here, on


def rolled(west: float, south: float, east: float, north: float) -> Box:
    """The box of which these are the unrolled sides."""
    return Box(west, south, east - 360 if east > 180 else east, north)


def box_of(numbers: Sequence[float]) -> Box:
    """The box of a `bbox` of four numbers, or six with elevations, which no object has. Raises ValueError."""
    if len(numbers) not in {4, 6}:
        raise ValueError(f"a box has four numbers, west,south,east,north, or six with elevations, not {len(numbers)}")
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a box is made of finite numbers")
    half = len(numbers) // 2
    box = Box(*(float(number) for number in (*numbers[:2], *numbers[half : half + 2])))
    if not (-180 <= box.west <= 180 and -180 <= box.east <= 180):
        raise ValueError("longitudes are from -180 to 180; a box across the antimeridian has its west above its east")
    if not (-90 <= box.south <= 90 and -90 <= box.north <= 90):
        raise ValueError("latitudes are from -90 to 90; the order is west,south,east,north")
    if box.south > box.north:
        raise ValueError("the south of a box is not above its north")
    if half == 3 and numbers[2] > numbers[5]:
        raise ValueError("the lowest elevation of a box is not above its highest")
    return box


class Interval(NamedTuple):
    """A span of time with both its ends; None is open."""

    begins: datetime | None
    ends: datetime | None


def interval_of(text: str) -> Interval:
    """The interval of a `datetime`: an instant, or two with a slash, of which one may be `..`. Raises ValueError."""
    first, slash, second = text.strip().partition("/")
    if not slash:
        return Interval(*(_instant(first),) * 2)
    begins, ends = (None if part in {"", ".."} else _instant(part) for part in (first, second))
    if begins is None and ends is None:
        raise ValueError("one end of an interval may be open; leave it out for all times")
    if begins is not None and ends is not None and begins > ends:
        raise ValueError("an interval does not end before it begins")
    return Interval(begins, ends)


def _instant(text: str) -> datetime:
    upper = text.upper()
    if not _RFC3339.fullmatch(upper):
        raise ValueError("write instants as in 2024-06-01T00:00:00Z, an interval as BEGIN/END, BEGIN/.. or ../END")
    try:
        return in_utc(datetime.fromisoformat(upper))
    except ValueError:
        raise ValueError("there is no such instant") from None


@dataclass(frozen=True)
class ObjectFilter:
    """Which objects; everything that is given must hold."""

    names: tuple[str, ...] | None = None
    box: Box | None = None
    begins: datetime | None = None
    ends: datetime | None = None


def item_status(order: OrderStatus | None, parts: Iterable[SubOrderState], *, files_there: bool) -> ItemStatus:
    """What the order of an object comes to: `parts` are the sub-orders it travels in, `files_there` if any file came.

    An object may be there long before the rest of its order, and be lost where the rest has come.
    """
    if order is None or (shown := ORDER_FACTS[order].item) is None:
        return ItemStatus.ORDERABLE
    states = set(parts)
    if states and states <= AVAILABLE_SUBORDERS and order not in COMES_TO_NOTHING:
        return ItemStatus.SUCCEEDED if files_there else ItemStatus.FAILED
    if states & {SubOrderState.FAILED}:
        return ItemStatus.FAILED
    # A settled order without a trace of the object: the catalogue has made it another since.
    return shown
