"""How an order is cut into sub-orders: a pure function of what its objects weigh."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """How big a sub-order may become before it closes."""

    max_files: int = 5_000
    max_bytes: int = 2 * 1024**3

    def __post_init__(self) -> None:
        if self.max_files < 1 or self.max_bytes < 1:
            raise ValueError("a sub-order holds at least one file and one byte")


@dataclass(frozen=True, slots=True)
class ObjectWeight:
    """One object of an order: what it belongs to and what it weighs. `key` is the caller's handle on it."""

    key: object
    product: str
    tier: str
    files: int
    bytes: int


@dataclass(slots=True)
class Part:
    """A sub-order in the making: objects of one product and one tier."""

    product: str
    tier: str
    keys: list[object] = field(default_factory=list)
    files: int = 0
    bytes: int = 0

    def add(self, obj: ObjectWeight) -> None:
        """Put one whole object into this part."""
        self.keys.append(obj.key)
        self.files += obj.files
        self.bytes += obj.bytes

    def has_room_for(self, obj: ObjectWeight, limits: Limits) -> bool:
        """Whether the object can come in without taking this part over a limit."""
        if (self.product, self.tier) != (obj.product, obj.tier):
            return False
        return self.files + obj.files <= limits.max_files and self.bytes + obj.bytes <= limits.max_bytes


def split(objects: Iterable[ObjectWeight], limits: Limits) -> list[Part]:
    """Cut objects into sub-orders, smaller ones first (DESIGN §5).

    Never mixes products or tiers, never splits an object, closes a part before the object that would take it
    over a limit; an object bigger than the limit travels alone. The same input gives the same parts.
    """
    parts = list(_parts(objects, limits))
    parts.sort(key=lambda part: (part.bytes, part.files))
    return parts


def _parts(objects: Iterable[ObjectWeight], limits: Limits) -> Iterator[Part]:
    """Parts in the order their last object came; one open part for each product and tier."""
    open_parts: dict[tuple[str, str], Part] = {}
    for obj in objects:
        lane = (obj.product, obj.tier)
        part = open_parts.get(lane)
        if part is None or not part.has_room_for(obj, limits):
            if part is not None:
                yield part
            part = open_parts[lane] = Part(obj.product, obj.tier)
        part.add(obj)
    yield from open_parts.values()
