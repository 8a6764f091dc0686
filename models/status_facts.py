"""What each status of an order, and each state of a sub-order or file, means: one row each; all sets derive from them.

What may follow what stands in `models.order` and `models.suborder`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from models.order import OrderStatus
from models.suborder import FileState, SubOrderState, states_before


class DeliveryStatus(StrEnum):
    """The words of the archive world."""

    WAITING_USER_DOWNLOAD = "Waiting user download"
    PENDING = "Pending"
    RUNNING = "Running"
    PAUSED = "Paused"
    DONE = "Done"
    DONE_WITH_WARNING = "Done with warning"
    FAILED = "Failed"
    EXPIRED = "Expired"
    CANCELLED = "Cancelled"
    DELETED = "Deleted"
    UNKNOWN = "Unknown"


class ItemStatus(StrEnum):
    """`order:status` of the STAC order extension: what an order is as seen from one object."""

    ORDERABLE = "orderable"
    ORDERED = "ordered"
    PENDING = "pending"
    SHIPPING = "shipping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class Actor(StrEnum):
    """Who can make a standing order move."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    STORAGE = "storage"
    NOBODY = "nobody"


class WaitMessage(NamedTuple):
    """What an order that stands still waits for, in words."""

    code: str
    text: str
    who: Actor


class WaitCondition(NamedTuple):
    """What makes an order wait for its user: sub-orders in each state of `some`, and in no state of `none`."""

    some: tuple[SubOrderState, ...]
    none: tuple[SubOrderState, ...] = ()


class OrderFacts(NamedTuple):
    """What a status means.

    `delivery` is its word while nothing waits for the user, `item` its word in searches of the catalogue, None where
    these say nothing of it; `comes_to_nothing` has them prefer any other order. `waiting` says what it stands still
    for, `waits_for_user` when a download is all that can move it. `unplanned`: it may have no sub-orders yet.
    `released_as`: what all its sub-orders become. `returns_quota`: if nothing was delivered, it counts as not ordered.
    """

    delivery: DeliveryStatus
    item: ItemStatus | None
    comes_to_nothing: bool = False
    waiting: WaitMessage | None = None
    waits_for_user: WaitCondition | None = None
    unplanned: bool = False
    released_as: SubOrderState | None = None
    returns_quota: bool = False


class SubOrderFacts(NamedTuple):
    """What a state of a sub-order means: whether it has settled, and whether its archive can be downloaded."""

    settled: bool = True
    available: bool = False


class FileFacts(NamedTuple):
    """What a state of a file means: whether it can be had, and whether it has yet to come to its customer."""

    available: bool = False
    undelivered: bool = False


S, P, F, D, I = OrderStatus, SubOrderState, FileState, DeliveryStatus, ItemStatus  # noqa: E741 - as short as the rows
_READY = WaitCondition(some=(P.READY,))
_NO_SLOT = WaitCondition(some=(P.READY, P.WAITING_SLOT), none=(P.PLANNED, P.STAGING))
_SUBMIT = WaitMessage("not_submitted", "The order is a draft: submit it.", Actor.CUSTOMER)
_PAY = WaitMessage("payment", "The payment is not confirmed yet.", Actor.OPERATOR)
_RESUME = WaitMessage("paused", "The order is paused: resume it.", Actor.CUSTOMER)
_RETRY = WaitMessage("failed", "The order failed: retry or cancel it.", Actor.OPERATOR)

ORDER_FACTS: Mapping[OrderStatus, OrderFacts] = MappingProxyType(
    {
        S.DRAFT: OrderFacts(D.PENDING, None, waiting=_SUBMIT),
        S.PENDING_PAYMENT: OrderFacts(D.PENDING, I.PENDING, waiting=_PAY, unplanned=True),
        S.PAYMENT_CONFIRMED: OrderFacts(D.PENDING, I.ORDERED, unplanned=True),
        S.VALIDATING: OrderFacts(D.RUNNING, I.ORDERED, unplanned=True),
        S.PROVISIONING: OrderFacts(D.RUNNING, I.SHIPPING, waits_for_user=_NO_SLOT),
        S.PAUSED: OrderFacts(D.PAUSED, I.PENDING, waiting=_RESUME, unplanned=True),
        S.FULFILLED: OrderFacts(D.DONE, I.ORDERABLE, waits_for_user=_READY),
        S.FULFILLED_WITH_WARNINGS: OrderFacts(D.DONE_WITH_WARNING, I.ORDERABLE, waits_for_user=_READY),
        S.FAILED: OrderFacts(D.FAILED, I.FAILED, comes_to_nothing=True, waiting=_RETRY, returns_quota=True),
        S.CANCELLED: OrderFacts(
            D.CANCELLED, I.CANCELED, comes_to_nothing=True, released_as=P.CANCELLED, returns_quota=True
        ),
        S.EXPIRED: OrderFacts(D.EXPIRED, None, released_as=P.EXPIRED),
        S.DELETED: OrderFacts(D.DELETED, None, returns_quota=True),
    }
)

SUBORDER_FACTS: Mapping[SubOrderState, SubOrderFacts] = MappingProxyType(
    {
        P.PLANNED: SubOrderFacts(settled=False),
        P.WAITING_SLOT: SubOrderFacts(settled=False),
        P.STAGING: SubOrderFacts(settled=False),
        P.READY: SubOrderFacts(available=True),
        P.DOWNLOADED: SubOrderFacts(available=True),
        P.FAILED: SubOrderFacts(),
        P.CANCELLED: SubOrderFacts(),
        P.EXPIRED: SubOrderFacts(),
    }
)

FILE_FACTS: Mapping[FileState, FileFacts] = MappingProxyType(
    {
        F.PENDING: FileFacts(undelivered=True),
        F.AVAILABLE: FileFacts(available=True, undelivered=True),
        F.DOWNLOADED: FileFacts(available=True),
        F.FAILED: FileFacts(),
    }
)

MOVES_BY_ITSELF = frozenset(
    s for s, f in ORDER_FACTS.items() if f.waiting is None and f.delivery in {D.PENDING, D.RUNNING}
)
"""Statuses in which an order goes on without anybody, as long as Temporal and workers are there."""

BRIEF = frozenset(s for s in MOVES_BY_ITSELF if ORDER_FACTS[s].delivery is D.PENDING)
"""Those of them that last no time: nothing is done for the order in them."""

DELIVERY: Mapping[OrderStatus, DeliveryStatus] = MappingProxyType({s: f.delivery for s, f in ORDER_FACTS.items()})
"""The word for each status while nothing waits for the user; lists and exports have their SQL from it."""

WAITING_FOR_USER: Mapping[OrderStatus, WaitCondition] = MappingProxyType(
    {s: f.waits_for_user for s, f in ORDER_FACTS.items() if f.waits_for_user}
)
"""In which statuses an order can wait for its user, and when it does: an archive is ready and not downloaded,
and nothing more can move before it is. Lists and exports have their SQL from it."""

RELEASED_AS: Mapping[OrderStatus, SubOrderState] = MappingProxyType(
    {s: f.released_as for s, f in ORDER_FACTS.items() if f.released_as}
)
"""What the sub-orders of an order are, all of them, when nothing of it can be had any more."""

HIDDEN_IN_SEARCH = frozenset(s for s, f in ORDER_FACTS.items() if f.item is None)
"""Of orders that are not placed yet, or of which nothing is left, a search of the catalogue says nothing."""

COMES_TO_NOTHING = frozenset(s for s, f in ORDER_FACTS.items() if f.comes_to_nothing)
"""Orders that an object shows only where it has no other."""

UNPLANNED = frozenset(s for s, f in ORDER_FACTS.items() if f.unplanned)
"""Statuses of accepted orders that may have no sub-orders yet."""

RETURNS_QUOTA = frozenset(s for s, f in ORDER_FACTS.items() if f.returns_quota)
"""Statuses in which an order of which nothing was delivered does not count against a quota."""

UNSETTLED_SUBORDERS = frozenset(s for s, f in SUBORDER_FACTS.items() if not f.settled)
"""States of sub-orders in the making."""

AVAILABLE_SUBORDERS = frozenset(s for s, f in SUBORDER_FACTS.items() if f.available)
"""States of sub-orders whose archive can be downloaded."""

RELEASED_SUBORDERS = frozenset(RELEASED_AS.values())
"""States of sub-orders that ended with their order; none leads out of them."""

UNAVAILABLE_SUBORDERS = frozenset(SubOrderState) - UNSETTLED_SUBORDERS - AVAILABLE_SUBORDERS
"""States of settled sub-orders that have no archive, or not any more."""

RELEASABLE: Mapping[SubOrderState, frozenset[SubOrderState]] = MappingProxyType(
    {
        state: states_before(state) - ({P.DOWNLOADED} if state is P.EXPIRED else frozenset())
        for state in RELEASED_SUBORDERS
    }
)
"""Which sub-orders a release may end: an expiry spares what has been downloaded."""

AVAILABLE_FILES = frozenset(s for s, f in FILE_FACTS.items() if f.available)
"""States of files that can be had."""

UNDELIVERED_FILES = frozenset(s for s, f in FILE_FACTS.items() if f.undelivered)
"""States of files that are still to be downloaded, now or later."""


def sql_list(states: Iterable[StrEnum]) -> str:
    """States as the inside of an SQL `IN (…)`, in the order of their definition; quoted only, for they are our own."""
    found = set(states)
    return ", ".join(f"'{state}'" for kind in {type(state) for state in found} for state in kind if state in found)
