"""What somebody wants to order, as a value: routes make one from their bodies, `services.placing` takes it."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from models.failure_policy import OnMissing
from models.text import tidied


@dataclass(frozen=True)
class RequestedLine:
    """Objects of one product, by id or name; None for all of them."""

    product: str
    objects: tuple[str, ...] | None = None


@dataclass(frozen=True)
class OrderRequest:
    """An order before anything of it has been looked up.

    Exactly one of four says what is ordered: `lines` of products, `ids` of catalogue files or objects, `cart` for what
    is in the caller's, or `again`, the order whose selection is ordered once more, for its customer and to its
    destination.
    """

    lines: tuple[RequestedLine, ...] = ()
    ids: tuple[str, ...] = ()
    again: UUID | None = None
    cart: bool = False
    label: str | None = None
    draft: bool = False
    destination: str | None = None
    """Id or name of a saved destination."""
    country: str | None = None
    """Where the customer is taxed, as ISO 3166 writes it in two letters; None for the shop's own country."""
    coupon: str | None = None
    """The code of a coupon, however it is cased."""
    on_missing: OnMissing | None = None
    max_failed_percent: Decimal | None = None
    """Of the failure policy; None is the old order's, or the default."""

    def __post_init__(self) -> None:
        if self.label is not None:
            object.__setattr__(self, "label", tidied(self.label))
        for name in ("country", "coupon"):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, given.strip().upper())
