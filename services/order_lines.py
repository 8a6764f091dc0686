"""The lines of an order: what a request names, looked up in catalogue and storage, and everything wrong with it.

Placing, estimating, ordering again and submitting a draft look up the same things, here. What a request names and
nobody has is a fault. What was there and is gone is left out with a warning; if nothing is left, that is a fault.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.errors import FailureCode, Fault, Hint
from models.failure_policy import FailurePolicy
from models.labels import counted, label_faults
from models.order_request import OrderRequest, RequestedLine
from models.pricing import UNIT_WORDS, Measure, Quote, UnitPrice, price_in_words
from models.queries import cart as queries_of_cart
from models.queries import selections
from models.queries.access import closed_products
from models.queries.destinations import destination_by_id, destination_of
from models.queries.known_checksums import known_among
from models.queries.selections import SelectedFile, UnplacedSelection
from models.tables import CatalogueObject, Order, Product
from models.tasks import computed
from services.cart import view_cart
from services.pricing import Buyer, Prices, groups_of, prices_for
from services.storage_check import MAX_CHECKED, CheckedFile, StorageCheck

MAX_NAMED_FAULTS = 100

MANY_KEYS = 5_000
"""Ids that are looked up at a time, and from which on they are parsed beside what else is served."""

Groups = Collection[str] | None
"""Groups whose products may be ordered besides the public ones; None for every product."""

PRICE_CHANGED = "price_changed"

Destination = tuple[UUID, str]
"""Id and name of a saved destination."""


class Missing(Fault):
    """Something that was there and is gone; where the order is placed all the same, `left_out` is left out of it."""

    left_out: str = Field(default="it", exclude=True)

    @property
    def warning(self) -> Fault:
        """What is told where the order goes on without it."""
        return Fault(field=self.field, code=self.code, text=f"{self.text}; {self.left_out} is left out")


@dataclass
class Line:
    """What is ordered of one product: all of it but `left_out`, or whole objects and single files of others.

    What the cart of a number holds of its objects, less `left_out`, stays where it is: they may be a million.
    """

    product: Product
    whole: bool = False
    objects: dict[UUID, str] = field(default_factory=dict)
    files: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)
    left_out: set[UUID] = field(default_factory=set)
    cart: int | None = None
    described: str = ""
    """How it was, where what it selects is what it was."""
    price_before: UnitPrice | None = None
    """What a unit cost when it was ordered or drafted before."""

    @property
    def configuration(self) -> str:
        """How the line is described."""
        return "all objects" if self.whole else self.described

    def selections(self) -> list[tuple[UUID, UUID | None, str]]:
        """Object, file or None for all of its files, and name; nothing is selected twice."""
        if self.whole:
            return []
        single = [(obj, file, name) for file, (obj, name) in self.files.items() if obj not in self.objects]
        return [*((obj, None, name) for obj, name in self.objects.items()), *single]

    def leave_out(self, object_id: UUID, file_id: UUID) -> bool:
        """Leave an object out of which a file cannot be had, or the file alone where it was selected by itself.

        Whether it is the object.
        """
        single = self.files.pop(file_id, None)
        if object_id in self.objects or self.whole or (self.cart is not None and single is None):
            self.left_out.add(object_id)
            self.objects.pop(object_id, None)
        return object_id in self.left_out

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of it."""
        return not (self.whole or self.objects or self.files or self.cart is not None)


def unplaced(lines: Sequence[Line]) -> UnplacedSelection:
    """What lines select, by their position."""
    return UnplacedSelection(
        wholes=[(n, line.product.id) for n, line in enumerate(lines, 1) if line.whole],
        singles=[(n, obj, file) for n, line in enumerate(lines, 1) for obj, file, _ in line.selections()],
        left_out=[key for line in lines for key in line.left_out],
        carts=[(n, line.cart, line.product.id) for n, line in enumerate(lines, 1) if line.cart is not None],
    )


def quote_lines(lines: Sequence[Line], measures: Sequence[Measure], prices: Prices) -> Quote:
    """Price lines of which so much is ordered."""
    return prices.quote([line.product for line in lines], measures)


@dataclass(frozen=True)
class ResolvedOrder:
    """What a request asks for, as it can be had now, with everything that is wrong with it.

    `warnings` tell what is left out, and which prices have changed since it was ordered or drafted. `prices` are those
    of its customer now; what is wrong with the coupon is among their faults.
    """

    customer: str
    lines: list[Line]
    faults: list[Fault]
    destination: Destination | None
    warnings: list[Fault]
    policy: FailurePolicy
    prices: Prices


async def resolve(
    session: AsyncSession, caller: Caller, request: OrderRequest, now: datetime, check: StorageCheck | None = None
) -> ResolvedOrder:
    """Look up what a request asks for; without a `check` no storage is asked."""
    customer, destination, policy, country = caller.customer, None, FailurePolicy(), request.country
    faults: list[Fault] = []
    warnings: list[Fault] = []
    if request.again is not None:
        old = await session.get_one(Order, request.again)
        customer, policy, country = old.customer, old.failure_policy, country or old.country
        lines, warnings = await look_again(session, old, caller.admitted, check)
        if old.destination_id:
            destination, missing = await _destination_again(session, old)
            warnings += missing
    else:
        if request.cart:
            lines, warnings = await _lines_of_cart(session, caller)
        else:
            lines, faults = await _resolve_lines(session, request, caller.admitted)
        if check is not None:
            lines, gone = await _in_storage(session, lines, check)
            warnings += gone
    policy = policy.changed(request.on_missing, request.max_failed_percent)
    if not lines and not faults:
        faults = [nothing_left(), *warnings] if warnings else [nothing_to_order()]
    else:
        faults += policy.missing(missing_among(warnings))
    faults += policy.faults
    if request.label is not None:
        faults += label_faults(request.label)
    groups = caller.groups if customer == caller.customer else await groups_of(session, customer)
    buyer = Buyer(customer, groups, country, request.coupon)
    prices = await prices_for(session, buyer, [line.product for line in lines], now)
    for line in lines:
        warnings += _price_warnings(line, prices.units[line.product.sku])
    faults += _currency_faults(prices.units.values())
    if request.destination is not None:
        destination, missing = await _resolve_destination(session, customer, request.destination)
        faults += missing
    return ResolvedOrder(customer, lines, faults, destination, told(warnings), policy, prices)


def told(warnings: Iterable[Fault]) -> list[Fault]:
    """Warnings of an order that goes on."""
    return [warning.warning if isinstance(warning, Missing) else warning for warning in warnings]


def missing_among(warnings: Iterable[Fault]) -> list[Missing]:
    """Those of the warnings that say that something is gone."""
    return [warning for warning in warnings if isinstance(warning, Missing)]


async def look_again(
    session: AsyncSession, old: Order, groups: Groups, check: StorageCheck | None
) -> tuple[list[Line], list[Fault]]:
    """What can be had now of an order or draft, and a warning for all that is gone."""
    lines, warnings = await _lines_of(session, old, groups)
    if check is not None:
        lines, gone = await _in_storage(session, lines, check)
        warnings += gone
    return lines, warnings


async def gone_from_storage(
    session: AsyncSession, lines: Sequence[Line], check: StorageCheck
) -> tuple[int, list[tuple[CheckedFile, Fault]]]:
    """How many files of the lines were looked at, MAX_CHECKED at most, and those that are not what was ordered."""
    rows = (await session.execute(selections.files_of(unplaced(lines), limit=MAX_CHECKED))).all()
    gone = await check.gone([CheckedFile(key, sku, SelectedFile(*file)) for key, sku, *file in rows])
    written = [checked.file.file_id for checked, fault in gone if fault.code == FailureCode.SOURCE_CHANGED]
    provable = set((await session.execute(known_among(written))).scalars()) if written else set()
    # A file that was written to is read when it is delivered, where its checksum can prove that it is the same.
    return len(rows), [
        (checked, fault)
        for checked, fault in gone
        if fault.code != FailureCode.SOURCE_CHANGED or checked.file.file_id not in provable
    ]


async def _in_storage(session: AsyncSession, lines: list[Line], check: StorageCheck) -> tuple[list[Line], list[Fault]]:
    """The lines without what is gone from its storage, and a warning for each object or single file left out."""
    _, gone = await gone_from_storage(session, lines, check)
    by_sku = {line.product.sku: line for line in lines}
    warnings: dict[UUID, Fault] = {}
    for checked, fault in gone:
        whole = by_sku[checked.sku].leave_out(checked.object_id, checked.file.file_id)
        what = f"all of {checked.sku}/{checked.file.object_name}" if whole else "it"
        missing = Missing(field=fault.field, code=fault.code, text=fault.text, left_out=what)
        warnings.setdefault(checked.object_id if whole else checked.file.file_id, missing)
    return [line for line in lines if not line.is_empty], list(warnings.values())


async def _destination_again(session: AsyncSession, old: Order) -> tuple[Destination | None, list[Fault]]:
    """Where an old order went, if there still is such a place."""
    found = (await session.execute(destination_by_id(old.customer, old.destination_id))).scalar_one_or_none()
    if found is not None:
        return (found.id, found.name), []
    text = f"the destination {old.destination_name} was removed; the archives can be downloaded"
    return None, [Fault(field="delivery/destination", code=FailureCode.UNKNOWN_ID, text=text)]


async def _resolve_destination(
    session: AsyncSession, customer: str, key: str
) -> tuple[Destination | None, list[Fault]]:
    found = (await session.execute(destination_of(customer, key))).scalar_one_or_none()
    if found is not None:
        return (found.id, found.name), []
    text, hint = f"you have no destination {key!r}", Hint.LIST_DESTINATIONS
    return None, [Fault(field="delivery/destination", code=FailureCode.UNKNOWN_ID, text=text, hint=hint)]


async def _lines_of_cart(session: AsyncSession, caller: Caller) -> tuple[list[Line], list[Fault]]:
    """The lines of what is in the caller's cart, and how much of it is gone."""
    view = await view_cart(session, caller)
    lines = {
        found.product.id: Line(found.product, cart=view.cart.id)
        for found in view.products
        if found.product is not None and found.row.files
    }
    for product, obj, file, name in await session.execute(queries_of_cart.single_files_in(view.cart.id)):
        if product in lines:
            lines[product].files[file] = (obj, name)
    missing: list[Fault] = [
        Missing(
            field=found.row.sku,
            code=FailureCode.UNKNOWN_ID,
            text=f"{counted(found.gone, 'object')} of {found.row.sku} cannot be had any more",
            left_out="what is gone",
        )
        for found in view.products
        if found.gone
    ]
    return list(lines.values()), missing


async def _lines_of(session: AsyncSession, old: Order, groups: Groups) -> tuple[list[Line], list[Fault]]:
    """The lines of an old order or draft as they can be ordered now, with a warning for all that is gone."""
    lines: dict[int, Line] = {}
    skus: dict[int, str] = {}
    warnings: list[Fault] = []
    closed = set((await session.execute(closed_products(old.id))).scalars())
    for item, product in await session.execute(selections.items_with_products(old.id, groups)):
        skus[item.position] = item.sku
        if product is None or product.sku in closed:
            text = f"there is no product {item.sku!r} any more that this customer may order"
            warnings.append(Missing(field=item.sku, code=FailureCode.UNKNOWN_ID, text=text))
            continue
        lines[item.position] = Line(product, price_before=item.price_in(old.currency))
    for selection, is_there in await session.execute(selections.selections_of(old.id)):
        if (line := lines.get(selection.position)) is None:
            continue
        if not is_there:
            name = f"{skus[selection.position]}/{selection.name}"
            text = f"{name} is no longer in the catalogue"
            warnings.append(Missing(field=name, code=FailureCode.UNKNOWN_ID, text=text))
        elif selection.file_id is None:
            line.objects[selection.object_id] = selection.name
        else:
            line.files[selection.file_id] = (selection.object_id, selection.name)
    return [line for line in lines.values() if not line.is_empty], warnings


def _price_warnings(line: Line, price: UnitPrice) -> list[Fault]:
    """What a unit of a product costs now, where it has cost something else."""
    sku, before = line.product.sku, line.price_before
    if before is None or f"{before}" == f"{price}":
        return []
    if before.unit == price.unit:
        words = (price_in_words(one.amount, one.currency) or "nothing" for one in (price, before))
        text = "{} of {} costs {} today, where it was {}".format(UNIT_WORDS[price.unit], sku, *words)
    else:
        text = f"{sku} costs {price} today, where it was {before}"
    return [Fault(field=sku, code=PRICE_CHANGED, text=text)]


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
    ids = {key: parsed for key, parsed in (await uuids(keys)).items() if parsed is not None}
    product_id = line.product.id
    found = (await session.execute(selections.objects_of(product_id, list(keys), list(ids.values())))).scalars().all()
    by_id, by_name = {o.id: o for o in found}, {o.name: o for o in found}
    faults: list[Fault] = []
    for index, key in enumerate(keys):
        obj: CatalogueObject | None = by_name.get(key) or (by_id.get(ids[key]) if key in ids else None)
        if obj is None and len(faults) < MAX_NAMED_FAULTS:
            noun = f"object of {line.product.sku}"
            faults.append(_unknown(f"{where}/{index}", noun, key, Hint.LIST_OBJECTS))
        elif obj is not None:
            line.objects[obj.id] = obj.name
    return faults


async def _resolve_ids(
    session: AsyncSession, keys: Sequence[str], lines: dict[str, Line], groups: Groups
) -> list[Fault]:
    """Catalogue files or objects by id, of any products."""
    named = await uuids(keys)
    ids = list(dict.fromkeys(key for key in named.values() if key is not None))
    known: dict[UUID | None, str] = {}
    for start in range(0, len(ids), MANY_KEYS):
        some = ids[start : start + MANY_KEYS]
        for obj, product in await session.execute(selections.objects_by_id(some, groups)):
            lines.setdefault(product.sku, Line(product)).objects[obj.id] = obj.name
            known[obj.id] = product.sku
        for file, obj, product in await session.execute(selections.files_by_id(some, groups)):
            line = lines.setdefault(product.sku, Line(product))
            line.files[file.id] = (obj.id, f"{obj.name}/{file.name}")
            known[file.id] = product.sku
    # Rows come in any order, and the lines of an order in that in which their products were named.
    for sku in dict.fromkeys(known[key] for key in ids if key in known):
        lines[sku] = lines.pop(sku)
    unknown = (index for index, key in enumerate(keys) if named[key] not in known)
    return [
        _unknown(f"files/{index}", "catalogue file or object", keys[index], Hint.LIST_OBJECTS)
        for index in islice(unknown, MAX_NAMED_FAULTS)
    ]


async def uuids(keys: Sequence[str]) -> dict[str, UUID | None]:
    """Each key as an id, None where it is none; many of them take so long that others are served meanwhile."""
    if len(keys) <= MANY_KEYS:
        return {key: _uuid(key) for key in keys}
    return await computed(lambda: {key: _uuid(key) for key in dict.fromkeys(keys)})


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


def nothing_left() -> Fault:
    """What is wrong with an order of which nothing can be had any more."""
    text = "nothing is left to order: all that was selected is gone"
    return Fault(field="items", code=FailureCode.NOTHING_TO_ORDER, text=text, hint=Hint.LIST_PRODUCTS)


def _currency_faults(prices: Iterable[UnitPrice]) -> list[Fault]:
    currencies = sorted({price.currency for price in prices if price.amount})
    if len(currencies) < 2:
        return []
    text = f"the products are priced in {' and '.join(currencies)}; order them separately"
    return [Fault(field="items", code="mixed_currencies", text=text)]
