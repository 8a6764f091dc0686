"""Says in routes where a remedy is found; the shell says it in commands."""

from collections.abc import Mapping
from types import MappingProxyType

from models.errors import Hint, InvalidOrder, Refusal
from models.links import API

ROUTES: Mapping[Hint, str] = MappingProxyType(
    {
        Hint.LIST_PRODUCTS: f"GET {API}/products",
        Hint.LIST_OBJECTS: f"GET {API}/products/{{sku}}/objects",
        Hint.LIST_DESTINATIONS: f"GET {API}/destinations",
        Hint.LIST_LINKS: f"GET {API}/orders/{{order_id}}/links",
    }
)


def detail_of(refusal: Refusal, prefix: str = "") -> str:
    """The sentence of a refusal with the routes that it and its faults hint at, each once and after all sentences.

    `prefix` is the path below which the routes are found from outside.
    """
    faults = refusal.faults if isinstance(refusal, InvalidOrder) else ()
    hints = dict.fromkeys(hint for hint in (refusal.hint, *(fault.hint for fault in faults)) if hint is not None)
    return (
        f"{refusal}; see {' or '.join(ROUTES[hint].replace(API, prefix + API) for hint in hints)}"
        if hints
        else str(refusal)
    )
