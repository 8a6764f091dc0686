"""The criteria of a search of the catalogue, as values: where, when, which; and the order status of its results."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from models.areas import SearchArea
from models.instants import in_utc, read_instant
from models.listing import SortOrder
from models.order import OrderStatus
from models.status_facts import AVAILABLE_SUBORDERS, COMES_TO_NOTHING, ORDER_FACTS, ItemStatus
from models.suborder import SubOrderState

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


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
    """An instant of RFC 3339, which is stricter than what sources may write."""
    if not _RFC3339.fullmatch(text.upper()):
        raise ValueError("write instants as in 2024-06-01T00:00:00Z, an interval as BEGIN/END, BEGIN/.. or ../END")
    try:
        return in_utc(read_instant(text))
    except ValueError:
        raise ValueError("there is no such instant") from None


class ObjectSort(SortOrder):
    """How objects are sorted; a minus means descending."""

    NEWEST = "-begins_at"
    OLDEST = "begins_at"
    NAME = "name"
    NAME_FROM_BEHIND = "-name"
    BIGGEST = "-bytes"
    SMALLEST = "bytes"


class Facet(StrEnum):
    """What matches can be counted by."""

    PRODUCT = "product"
    KIND = "kind"
    TIER = "tier"
    YEAR = "year"


class PropertyTest(NamedTuple):
    """A comparison of a property: `value` is text, a number or a truth value, and other types do not match."""

    name: str
    operator: str
    value: str | float | bool


_TEST = re.compile(r"([^<>=!]{1,100}?) *(<=|>=|!=|<|>|=) *(.{1,1000})", re.DOTALL)


def property_test(text: str) -> PropertyTest:
    """Read a comparison, as in `eo:cloud_cover<20`. Raises ValueError.

    A value that is a number or a truth value in JSON is that; `"31"` in quotation marks is a text in any case.
    """
    found = _TEST.fullmatch(text.strip())
    if found is None:
        raise ValueError("write a property, one of < <= > >= = !=, and a value, as in eo:cloud_cover<20")
    name, operator, written = found.groups()
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        value = written
    if not isinstance(value, str | float | int) or (isinstance(value, float) and not math.isfinite(value)):
        value = written
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**300:
        raise ValueError("this is no number that a property has")
    if isinstance(value, bool) and operator not in {"=", "!="}:
        raise ValueError("true and false are compared with = and != alone")
    return PropertyTest(name, operator, value)


class SearchTerm(NamedTuple):
    """A word that has to be somewhere in an object's texts, unless its product is one of those that it names."""

    text: str
    products: tuple[int, ...] = ()


@dataclass(frozen=True)
class ObjectFilter:
    """Which objects; everything that is given must hold, of several kinds or tiers one. Bounds are inclusive."""

    names: tuple[str, ...] | None = None
    area: SearchArea | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    ids: tuple[UUID, ...] | None = None
    terms: tuple[SearchTerm, ...] = ()
    kinds: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    min_bytes: int | None = None
    max_bytes: int | None = None
    properties: tuple[PropertyTest, ...] = ()

    @property
    def is_counted(self) -> bool:
        """Whether counts that are kept by product, year, kinds and tiers can tell what matches."""
        return self == ObjectFilter(kinds=self.kinds, tiers=self.tiers)


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
