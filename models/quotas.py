"""The quotas of a customer: the limits, how far they are used, and the faults of an order that exceeds them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from models.errors import Fault
from models.order import OrderStatus, Outcome, outcome

OPEN = frozenset(status for status in OrderStatus if outcome(status) is Outcome.PENDING)
"""Statuses of orders that are not finished, whether the customer or Consignor acts next."""


@dataclass(frozen=True)
class Quotas:
    """The limits of each customer; 0 means no limit. Sizes in bytes."""

    open_orders: int = 0
    files_per_order: int = 0
    bytes_per_order: int = 0
    files_per_period: int = 0
    bytes_per_period: int = 0
    period: timedelta = timedelta(days=1)

    @property
    def limits_orders(self) -> bool:
        """Whether any limit applies to orders."""
        limits = self.open_orders, self.files_per_order, self.bytes_per_order
        return any((*limits, self.files_per_period, self.bytes_per_period))


@dataclass(frozen=True)
class Usage:
    """What a customer has, or what an order would add to that."""

    orders: int = 0
    files: int = 0
    bytes: int = 0

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(self.orders - other.orders, self.files - other.files, self.bytes - other.bytes)


@dataclass(frozen=True)
class Quota:
    """One limit of a customer: how much of it is used, and what an order would add."""

    name: str
    limit: int
    used: int
    adds: int
    window: timedelta | None = None
    adds_up: bool = True
    """Whether one order leaves less for the next."""

    @property
    def exceeded(self) -> bool:
        """Whether the order would exceed it."""
        return self.adds > 0 and self.used + self.adds > self.limit

    @property
    def remaining(self) -> int:
        """What is left without the order."""
        return max(0, self.limit - self.used)

    @property
    def left(self) -> int:
        """What is left after the order."""
        return max(0, self.remaining - self.adds) if self.adds_up else self.remaining


def quotas_of(limits: Quotas, used: Usage, order: Usage) -> list[Quota]:
    """Every limit that is set. `used.orders` are open now; its files and bytes were ordered within the period."""
    every = [
        Quota("open_orders", limits.open_orders, used.orders, order.orders),
        Quota("files_per_order", limits.files_per_order, 0, order.files, adds_up=False),
        Quota("bytes_per_order", limits.bytes_per_order, 0, order.bytes, adds_up=False),
        Quota("files_per_period", limits.files_per_period, used.files, order.files, limits.period),
        Quota("bytes_per_period", limits.bytes_per_period, used.bytes, order.bytes, limits.period),
    ]
    return [quota for quota in every if quota.limit]


def quota_faults(quotas: Iterable[Quota]) -> list[Fault]:
    """A fault for each limit that an order would exceed, with the figures and the remedy."""
    return [
        Fault(field="items", code=f"{quota.name}_exceeded", text=_REMEDIES[quota.name].format(**_figures(quota)))
        for quota in quotas
        if quota.exceeded
    ]


_REMEDIES = {
    "open_orders": "you have {used} open orders of {limit}; wait until one is fulfilled, or cancel one",
    "files_per_order": "an order may have {limit} files and this has {adds}; order it in parts",
    "bytes_per_order": "an order may have {limit} bytes and this has {adds}; order it in parts",
    "files_per_period": "you may order {limit} files in {window} and have {remaining} left, this has {adds};"
    " order less, or later",
    "bytes_per_period": "you may order {limit} bytes in {window} and have {remaining} left, this has {adds};"
    " order less, or later",
}


def _figures(quota: Quota) -> dict[str, str]:
    counts = {"limit": quota.limit, "used": quota.used, "adds": quota.adds, "remaining": quota.remaining}
    return {name: f"{count:,}" for name, count in counts.items()} | {"window": _span(quota.window)}


def _span(window: timedelta | None) -> str:
    if window is None:
        return ""
    hours = window.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"
