"""What a cart is: the kinds of selections it holds, and why something cannot be added to it."""

from collections.abc import Collection
from enum import StrEnum


class SelectionKind(StrEnum):
    """How something came into a cart."""

    OBJECTS = "objects"
    """Picked one by one; what is picked later joins what was picked before."""
    PRODUCT = "product"
    SEARCH = "search"
    NAMES = "names"
    UPLOAD = "upload"
    ORDER = "order"
    """What an order was of."""


class Unaddable(StrEnum):
    """Why something cannot be added to a cart. Who is `not_signed_in` has none, and hears that before (401)."""

    ACCESS_LIMITED = "access_limited"
    AMBIGUOUS = "ambiguous"
    NOTHING_ORDERABLE = "nothing_orderable"
    STORAGE_NOT_ALLOWED = "storage_not_allowed"
    UNKNOWN = "unknown"


def unaddable_in_words(reason: Unaddable, products: Collection[str] = ()) -> str:
    """Why something cannot be added, as a sentence about it; `products` are those that an ambiguous name is in."""
    match reason:
        case Unaddable.ACCESS_LIMITED:
            return "its product is not open to you"
        case Unaddable.AMBIGUOUS:
            return f"there is one in {' and in '.join(sorted(products))}; write PRODUCT/NAME"
        case Unaddable.NOTHING_ORDERABLE:
            return "it has no file"
        case Unaddable.STORAGE_NOT_ALLOWED:
            return "orders may not read the storage it is on"
        case Unaddable.UNKNOWN:
            return "nothing has this id or name"
