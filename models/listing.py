"""Lists of orders as values: whose orders, which of them, in which order."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from models.errors import FailureCode
from models.order import OrderStatus
from models.status_facts import DeliveryStatus

COUNT_LIMIT = 10_001
"""How far matches are counted; one more than the number that is shown as "10,000+"."""

MAX_TERMS = 10
"""Words that a search may have; each one more costs time."""


@dataclass(frozen=True)
class Visibility:
    """Whose orders may be seen: those of one customer, or all where `customer` is None."""

    customer: str | None

    def __post_init__(self) -> None:
        if self.customer == "":  # the counters of all customers together are kept under the empty name
            raise ValueError("a customer without a name has no orders")


class SortOrder(StrEnum):
    """Names of sort orders: that of a key, behind a minus where it is descending."""

    @property
    def descending(self) -> bool:
        """Whether the greatest key comes first."""
        return self.startswith("-")

    @property
    def key(self) -> str:
        """The name of the sort key."""
        return self.removeprefix("-")


class Sort(SortOrder):
    """How a list is sorted; a minus means descending. Orders that never expire sort after those that do."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    LAST_CHANGED = "-status_at"
    LONGEST_UNCHANGED = "status_at"
    BIGGEST = "-bytes"
    SMALLEST = "bytes"
    LAST_TO_EXPIRE = "-expires_at"
    FIRST_TO_EXPIRE = "expires_at"
    LAST_NUMBER = "-number"
    FIRST_NUMBER = "number"


class Position(NamedTuple):
    """A place in a sorted list: the sort key of a row as text, and its id, which tells equals apart."""

    key: str
    id: UUID


class Search(NamedTuple):
    """A parsed search: words that must all occur, and whether only orders with errors match."""

    terms: tuple[str, ...] = ()
    has_errors: bool = False


def parse_search(q: str) -> Search:
    """Split a search at its blanks; `has:errors` becomes a filter."""
    words = q.split()
    terms = tuple(dict.fromkeys(word for word in words if word.lower() != "has:errors"))
    return Search(terms[:MAX_TERMS], has_errors=any(word.lower() == "has:errors" for word in words))


@dataclass(frozen=True)
class OrderFilter:
    """Which orders are looked for; a field that is left open matches all. Instants are aware, sizes in bytes; bounds
    are inclusive below and exclusive above for instants, inclusive for sizes.
    """

    terms: tuple[str, ...] = ()
    statuses: frozenset[OrderStatus] | None = None
    delivery: frozenset[DeliveryStatus] | None = None
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    label: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    expires_after: datetime | None = None
    expires_before: datetime | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    waiting_for_user: bool | None = None
    has_errors: bool | None = None
    failures: frozenset[FailureCode] | None = None
    ids: tuple[UUID, ...] | None = field(default=None)

    @property
    def visible_statuses(self) -> frozenset[OrderStatus]:
        """The statuses that match; deleted orders match only where their status is named."""
        return VISIBLE if self.statuses is None else self.statuses


VISIBLE = frozenset(OrderStatus) - {OrderStatus.DELETED}


def statuses_in(visibility: Visibility, criteria: OrderFilter) -> frozenset[OrderStatus]:
    """The statuses a list can show; deleted orders are hidden from their owners."""
    return criteria.visible_statuses if visibility.customer is None else criteria.visible_statuses & VISIBLE
