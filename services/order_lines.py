"""The lines of an order: what a request names, looked up in the catalogue, and everything that is wrong with it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.errors import FailureCode, Fault, Hint
from models.labels import label_faults
from models.order_request import OrderRequest, RequestedLine
from models.pricing import Quote, quote
from models.queries import selections
from models.queries.destinations import destination_of
from models.tables import CatalogueObject, Order, Product

MAX_NAMED_FAULTS = 100

Groups = Collection[str] | None
"""Groups whose products may be ordered besides the public ones; None for every product."""

Destination = tuple[UUID, str]
"""Id and name of a saved destination."""


@dataclass
class Line:
    """What is ordered of one product: all of it, or whole objects and single files of others."""

    product: Product
    whole: bool = False
    objects: dict[UUID, str] = field(default_factory=dict)
    files: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)

    @property
    def configuration(self) -> str:
        """How the line is described."""
        return "all objects" if self.whole else ""

    def selections(self) -> list[tuple[UUID, UUID | None, str]]:
        """Object, file or None for all of its files, and name; nothing is selected twice."""
        if self.whole:
            return []
        single = [(obj, file, name) for file, (obj, name) in self.files.items() if obj not in self.objects]
        return [*((obj, None, name) for obj, name in self.objects.items()), *single]


def quote_lines(lines: Sequence[Line], quantities: Sequence[int]) -> Quote:
    """Price lines of so many objects each."""
    pairs = zip(lines, quantities, strict=True)
    return quote((quantity, line.product.unit_price, line.product.currency) for line, quantity in pairs)


@dataclass(frozen=True)
class ResolvedOrder:
    """What a request asks for, as the catalogue has it, and everything that is wrong with it."""

    customer: str
    lines: list[Line]
    faults: list[Fault]
    destination: Destination | None


async def resolve(session: AsyncSession, caller: Caller, request: OrderRequest) -> ResolvedOrder:
    """Look up what a request asks for."""
    customer, destination = caller.customer, None
    if request.again is not None:
        old = await session.get_one(Order, request.again)
        customer = old.customer
        destination = (old.destination_id, old.destination_name or "") if old.destination_id else None
        lines, faults = await _lines_of(session, old, caller.admitted)
    else:
        lines, faults = await _resolve_lines(session, request, caller.admitted)
    if request.label is not None:
        faults += label_faults(request.label)
    if request.again is None:  # what is ordered again has been in one currency before
        faults += _currency_faults(lines)
    if request.destination is not None:
        destination, missing = await _resolve_destination(session, customer, request.destination)
        faults += missing
    return ResolvedOrder(customer, lines, faults, destination)


async def _resolve_destination(
    session: AsyncSession, customer: str, key: str
) -> tuple[Destination | None, list[Fault]]:
    found = (await session.execute(destination_of(customer, key))).scalar_one_or_none()
    if found is not None:
        return (found.id, found.name), []
    text, hint = f"you have no destination {key!r}", Hint.LIST_DESTINATIONS
    return None, [Fault(field="delivery/destination", code=FailureCode.UNKNOWN_ID, text=text, hint=hint)]


async def _lines_of(session: AsyncSession, old: Order, groups: Groups) -> tuple[list[Line], list[Fault]]:
    """The lines of an old order as they can be ordered now; a product that is gone is a fault."""
    lines: dict[int, Line] = {}
    faults: list[Fault] = []
    for item, product in await session.execute(selections.items_with_products(old.id, groups)):
        if product is None:
            faults.append(_unknown(f"items/{item.position}", "product", item.sku, Hint.LIST_PRODUCTS))
        else:
            lines[item.position] = Line(product)
    for selection in (await session.execute(selections.selections_of(old.id))).scalars():
        if (line := lines.get(selection.position)) is None:
            continue
        if selection.file_id is None:
            line.objects[selection.object_id] = selection.name
        else:
            line.files[selection.file_id] = (selection.object_id, selection.name)
    return list(lines.values()), faults


async def _resolve_lines(
    session: AsyncSession, request: OrderRequest, groups: Groups
) -> tuple[list[Line], list[Fault]]:
    """The lines of an order, one for each product, and everything that could not be found."""
    lines: dict[str, Line] = {}
    if request.lines:
        faults = await _resolve_products(session, request.lines, lines, groups)
    else:
        faults = await _resolve_ids(session, request.ids, lines, groups)
    return list(lines.values()), faults


async def _resolve_products(
    session: AsyncSession, requested: Sequence[RequestedLine], lines: dict[str, Line], groups: Groups
) -> list[Fault]:
    skus = [line.product for line in requested]
    found = {p.sku: p for p in (await session.execute(selections.products_by_sku(skus, groups))).scalars()}
    faults: list[Fault] = []
    for index, item in enumerate(requested):
        if (product := found.get(item.product)) is None:
            faults.append(_unknown(f"items/{index}/product", "product", item.product, Hint.LIST_PRODUCTS))
            continue
        line = lines.setdefault(product.sku, Line(product))
        if item.objects is None:
            line.whole = True
        else:
            faults += await _resolve_objects(session, line, item.objects, f"items/{index}/objects")
    return faults


async def _resolve_objects(session: AsyncSession, line: Line, keys: Sequence[str], where: str) -> list[Fault]:
    """Objects by id or by name."""
    ids = {key: parsed for key in keys if (parsed := _uuid(key)) is not None}
    product_id = line.product.id
    found = (await session.execute(selections.objects_of(product_id, list(keys), list(ids.values())))).scalars().all()
    by_id, by_name = {o.id: o for o in found}, {o.name: o for o in found}
    faults = []
    for index, key in enumerate(keys):
        obj: CatalogueObject | None = by_name.get(key) or (by_id.get(ids[key]) if key in ids else None)
        if obj is None:
            noun = f"object of {line.product.sku}"
            faults.append(_unknown(f"{where}/{index}", noun, key, Hint.LIST_OBJECTS))
        else:
            line.objects[obj.id] = obj.name
    return faults


async def _resolve_ids(
    session: AsyncSession, keys: Sequence[str], lines: dict[str, Line], groups: Groups
) -> list[Fault]:
    """Catalogue files or objects by id, of any products."""
    ids = [parsed for key in keys if (parsed := _uuid(key)) is not None]
    known: set[UUID] = set()
    for obj, product in await session.execute(selections.objects_by_id(ids, groups)):
        lines.setdefault(product.sku, Line(product)).objects[obj.id] = obj.name
        known.add(obj.id)
    for file, obj, product in await session.execute(selections.files_by_id(ids, groups)):
        line = lines.setdefault(product.sku, Line(product))
        line.files[file.id] = (obj.id, f"{obj.name}/{file.name}")
        known.add(file.id)
    return [
        _unknown(f"files/{index}", "catalogue file or object", key, Hint.LIST_OBJECTS)
        for index, key in enumerate(keys)
        if _uuid(key) not in known
    ]


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


def _unknown(where: str, noun: str, key: str, hint: Hint) -> Fault:
    shown = key if len(key) <= 80 else f"{key[:80]}…"
    return Fault(field=where, code=FailureCode.UNKNOWN_ID, text=f"there is no {noun} {shown!r}", hint=hint)


def nothing_to_order() -> Fault:
    """What is wrong with an order of nothing."""
    text = "nothing to order: what was selected has no file"
    return Fault(field="items", code=FailureCode.NOTHING_TO_ORDER, text=text, hint=Hint.LIST_PRODUCTS)


def _currency_faults(lines: Iterable[Line]) -> list[Fault]:
    currencies = sorted({line.product.currency for line in lines if line.product.unit_price})
    if len(currencies) < 2:
        return []
    text = f"the products are priced in {' and '.join(currencies)}; order them separately"
    return [Fault(field="items", code="mixed_currencies", text=text)]
