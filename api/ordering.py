"""Placing an order: resolves what was asked against the catalogue, tells every fault, writes it in one transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.dependencies import Caller
from api.orders.schemas import OrderCreate, OrderLineCreate
from api.quotas import check, hold, looked_up
from models.errors import FailureCode, Fault, InvalidOrder, LabelTaken
from models.labels import default_label, label_faults, numbered, order_number
from models.order import Command, OrderStatus, past_tense
from models.pricing import line_total, order_total
from models.queries import orders, selections
from models.queries.destinations import destination_of
from models.quotas import Quotas, Usage
from models.tables import CatalogueObject, Order, OrderItem, OrderSelection, Product, TimelineRow

MAX_NAMED_FAULTS = 100

Groups = Collection[str] | None
"""Those whose products may be ordered besides the public ones; None for every product."""


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


@dataclass(frozen=True)
class Resolved:
    """What an order asks for, as the catalogue has it, and everything that is wrong with it."""

    lines: list[Line]
    faults: list[Fault]
    destination: tuple[UUID, str] | None


async def resolve(session: AsyncSession, caller: Caller, body: OrderCreate) -> Resolved:
    """Look up what an order asks for."""
    lines, faults = await _resolve(session, body, caller.admitted)
    if body.label is not None:
        faults += label_faults(body.label)
    faults += _currency_faults(lines)
    destination, more = await _destination(session, caller, body)
    return Resolved(lines, [*faults, *more], destination)


async def place(
    session: AsyncSession, caller: Caller, body: OrderCreate, now: datetime, quotas: Quotas | None = None
) -> Order:
    """Create an order, frozen as it is now. Raises InvalidOrder with every fault, LabelTaken or QuotaExceeded."""
    found = await resolve(session, caller, body)
    if found.faults:
        raise InvalidOrder(found.faults[:MAX_NAMED_FAULTS])
    status = OrderStatus.DRAFT if body.draft else OrderStatus.PENDING_PAYMENT
    frame = Frame(body.label, status, now, destination=found.destination, quotas=quotas or Quotas())
    return await _create(session, caller, found.lines, frame)


async def _destination(
    session: AsyncSession, caller: Caller, body: OrderCreate
) -> tuple[tuple[UUID, str] | None, list[Fault]]:
    """Id and name of the destination that an order names, if it names one."""
    if body.delivery is None:
        return None, []
    key = body.delivery.destination
    found = (await session.execute(destination_of(caller.customer, key))).scalar_one_or_none()
    if found is None:
        text = f"you have no destination {key!r}; look at GET /api/v1/destinations"
        return None, [Fault(field="delivery/destination", code=FailureCode.UNKNOWN_ID, text=text)]
    return (found.id, found.name), []


async def place_again(
    session: AsyncSession,
    caller: Caller,
    old: Order,
    label: str | None,
    now: datetime,
    quotas: Quotas | None = None,
) -> Order:
    """A new order of what an old one selected, at today's prices. Raises InvalidOrder, LabelTaken or QuotaExceeded.

    An operator who orders again for a customer knows why, and is held to none of their quotas.
    """
    lines, faults = await _lines_of(session, old, caller.admitted)
    if label is not None:
        faults += label_faults(label)
    if faults:
        raise InvalidOrder(faults[:MAX_NAMED_FAULTS])
    destination = (old.destination_id, old.destination_name or "") if old.destination_id else None
    frame = Frame(
        label,
        OrderStatus.PENDING_PAYMENT,
        now,
        derived_from=old.id,
        destination=destination,
        customer=old.customer,
        quotas=quotas if quotas is not None and caller.customer == old.customer else Quotas(),
    )
    return await _create(session, caller, lines, frame)


async def _lines_of(session: AsyncSession, old: Order, groups: Groups) -> tuple[list[Line], list[Fault]]:
    """The lines of an old order as they can be ordered now; a product that is gone is a fault."""
    lines: dict[int, Line] = {}
    faults: list[Fault] = []
    for item, product in await session.execute(selections.items_with_products(old.id, groups)):
        if product is None:
            faults.append(_unknown(f"items/{item.position}", "product", item.sku))
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


@dataclass(frozen=True)
class Frame:
    """What an order is besides its lines."""

    label: str | None
    status: OrderStatus
    now: datetime
    derived_from: UUID | None = None
    destination: tuple[UUID, str] | None = None
    customer: str | None = None
    """Whose it is where that is not the caller: an operator restarts an order for its customer."""
    quotas: Quotas = Quotas()  # noqa: RUF009 - frozen


async def _create(session: AsyncSession, caller: Caller, lines: list[Line], frame: Frame) -> Order:
    """Write an order whose lines are known to be good."""
    await hold(session, frame.quotas, frame.customer or caller.customer)
    order = await _insert(session, caller, frame, lines)
    items = await _write_lines(session, order, lines)
    await _total(session, order, items)
    await _check_quotas(session, frame, order)
    session.add(
        TimelineRow(
            order_id=order.id,
            sequence=1,
            at=frame.now,
            actor=caller.actor,
            what="drafted" if frame.status is OrderStatus.DRAFT else past_tense(Command.SUBMIT),
            status_after=order.status,
        )
    )
    await session.flush()
    return order


async def _check_quotas(session: AsyncSession, frame: Frame, order: Order) -> None:
    """The order is there already, so it is itself what is used; nothing of it stays if that is too much."""
    await session.flush()
    it = Usage(1, order.files_total, order.bytes_total)
    found = await looked_up(session, frame.quotas, order.customer, frame.now, it, counted=True)
    check(found)


async def _resolve(session: AsyncSession, body: OrderCreate, groups: Groups) -> tuple[list[Line], list[Fault]]:
    """The lines of an order, one for each product, and everything that could not be found."""
    lines: dict[str, Line] = {}
    if body.items is not None:
        faults = await _resolve_items(session, body.items, lines, groups)
    else:
        faults = await _resolve_ids(session, body.files or [], lines, groups)
    return list(lines.values()), faults


async def _resolve_items(
    session: AsyncSession, items: Sequence[OrderLineCreate], lines: dict[str, Line], groups: Groups
) -> list[Fault]:
    skus = [item.product for item in items]
    found = {p.sku: p for p in (await session.execute(selections.products_by_sku(skus, groups))).scalars()}
    faults: list[Fault] = []
    for index, item in enumerate(items):
        if (product := found.get(item.product)) is None:
            faults.append(_unknown(f"items/{index}/product", "product", item.product))
            continue
        line = lines.setdefault(product.sku, Line(product))
        if item.objects == "all":
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
            below = f"/{quote(line.product.sku, safe='')}/objects"
            faults.append(_unknown(f"{where}/{index}", f"object of {line.product.sku}", key, below=below))
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
        _unknown(f"files/{index}", "catalogue file or object", key, below="/{sku}/objects")
        for index, key in enumerate(keys)
        if _uuid(key) not in known
    ]


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


def _unknown(where: str, noun: str, key: str, *, below: str = "") -> Fault:
    """`below` is where the products' list goes on to what was not found."""
    shown = key if len(key) <= 80 else f"{key[:80]}…"
    text = f"there is no {noun} {shown!r}; look it up with GET /api/v1/products{below}"
    return Fault(field=where, code=FailureCode.UNKNOWN_ID, text=text)


def _currency_faults(lines: Iterable[Line]) -> list[Fault]:
    currencies = sorted({line.product.currency for line in lines if line.product.unit_price})
    if len(currencies) < 2:
        return []
    text = f"the products are priced in {' and '.join(currencies)}; order them separately"
    return [Fault(field="items", code="mixed_currencies", text=text)]


async def _insert(session: AsyncSession, caller: Caller, frame: Frame, lines: Sequence[Line]) -> Order:
    """Insert the bare order under a label of its own; two at once cannot get the same."""
    label, now, customer = frame.label, frame.now, frame.customer or caller.customer
    serial = (await session.execute(sa.text("SELECT nextval('order_serial')"))).scalar_one()
    priced = next((line.product for line in lines if line.product.unit_price), lines[0].product)
    values = {
        "number": order_number(now.year, serial),
        "customer": customer,
        "status": frame.status,
        "derived_from": frame.derived_from,
        "destination_id": frame.destination[0] if frame.destination else None,
        "destination_name": frame.destination[1] if frame.destination else None,
        "status_at": now,
        "version": 1,
        "total_price": 0,
        "currency": priced.currency,
        "created_at": now,
        "objects_total": 0,
        "files_total": 0,
        "bytes_total": 0,
    }
    wanted = label or default_label(now)
    while True:
        statement = insert(Order).values(label=wanted, **values)
        statement = statement.on_conflict_do_nothing(index_elements=[col(Order.customer), col(Order.label)])
        row = (await session.execute(statement.returning(Order))).scalar_one_or_none()
        if row is not None:
            return row
        if label is not None:
            raise LabelTaken(label)
        taken = set((await session.execute(orders.labels_like(customer, default_label(now)))).scalars())
        wanted = next(free for n in count(2) if (free := numbered(default_label(now), n)) not in taken)


async def _write_lines(session: AsyncSession, order: Order, lines: Sequence[Line]) -> list[OrderItem]:
    """Write what each line selects, and the lines with what that comes to."""
    seq = 0
    for position, line in enumerate(lines, 1):
        if line.whole:
            where = {"order_id": order.id, "offset": seq, "position": position, "product_id": line.product.id}
            await session.execute(selections.WHOLE_PRODUCT, where)
            seq += 2**32  # room for as many objects as a product may have
            continue
        rows = [
            {"order_id": order.id, "seq": seq + n, "position": position, "object_id": o, "file_id": f, "name": name}
            for n, (o, f, name) in enumerate(line.selections(), 1)
        ]
        if rows:
            await session.execute(sa.insert(OrderSelection), rows)
        seq += len(rows)
    totals = {row[0]: row for row in await session.execute(selections.selection_totals(order.id))}
    items = [_item(order.id, n, line, totals[n][1] if n in totals else 0) for n, line in enumerate(lines, 1)]
    session.add_all(items)
    order.skus, order.product_names = [item.sku for item in items], [item.name for item in items]
    order.objects_total, order.files_total, order.bytes_total = (
        sum(row[column] for row in totals.values()) for column in (1, 2, 3)
    )
    return items


def _item(order_id: UUID, position: int, line: Line, quantity: int) -> OrderItem:
    price = line.product.unit_price
    return OrderItem(
        order_id=order_id,
        position=position,
        product_id=line.product.id,
        sku=line.product.sku,
        name=line.product.name,
        configuration=line.configuration,
        quantity=quantity,
        unit_price=price,
        line_total=line_total(quantity, price),
    )


def nothing_to_order() -> Fault:
    """What is wrong with an order of nothing."""
    text = "nothing to order: what was selected has no file; look at GET /api/v1/products"
    return Fault(field="items", code=FailureCode.NOTHING_TO_ORDER, text=text)


async def _total(session: AsyncSession, order: Order, items: Iterable[OrderItem]) -> None:
    """Refuse an order of nothing; write what the order comes to."""
    if not order.files_total:
        raise InvalidOrder([nothing_to_order()])
    order.total_price = order_total(item.line_total for item in items)
    session.add(order)
