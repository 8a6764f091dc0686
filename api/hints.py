"""Says in routes where a remedy is found; the shell says it in commands."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from models.errors import Fault, Hint
from models.links import API

ROUTES: Mapping[Hint, str] = MappingProxyType(
    {
        Hint.LIST_PRODUCTS: f"GET {API}/products",
        Hint.LIST_OBJECTS: f"GET {API}/products/{{sku}}/objects",
        Hint.LIST_DESTINATIONS: f"GET {API}/destinations",
    }
)


def remedies(faults: Iterable[Fault]) -> str:
    """The routes that the faults hint at, each once, to follow the sentences about these."""
    hints = dict.fromkeys(fault.hint for fault in faults if fault.hint is not None)
    return f"; look it up with {' or '.join(ROUTES[hint] for hint in hints)}" if hints else ""
