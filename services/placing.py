"""Placing an order: its lines are resolved and priced, every fault is named, and it is written in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.access import Caller
from models.errors import InvalidOrder, LabelTaken
from models.labels import default_label, numbered, order_number
from models.order import Command, OrderStatus, past_tense
from models.order_request import OrderRequest
from models.pricing import QuotedLine
from models.queries import orders, selections
from models.quotas import Quotas, Usage
from models.tables import Order, OrderItem, OrderSelection, TimelineRow
from services.order_lines import MAX_NAMED_FAULTS, Destination, Line, nothing_to_order, quote_lines, resolve
from services.quotas import get_quotas, lock_customer, raise_if_exceeded

_SEQ_SPAN = 2**32
"""Every object of a whole product is selected by one statement, and how many there are is not known before: the line
after it begins so far on that no product can have more. `seq` is a 64-bit number and only orders the selections."""


@dataclass(frozen=True)
class OrderHeader:
    """What an order is besides its lines."""

    customer: str
    label: str | None
    status: OrderStatus
    now: datetime
    derived_from: UUID | None
    destination: Destination | None


async def place(
    session: AsyncSession, caller: Caller, request: OrderRequest, now: datetime, quotas: Quotas | None = None
) -> Order:
    """Create an order at today's prices. Raises InvalidOrder with every fault, LabelTaken or QuotaExceeded.

    An operator who orders again for a customer knows why, and is held to none of their quotas.
    """
    resolved = await resolve(session, caller, request)
    if resolved.faults:
        raise InvalidOrder(resolved.faults[:MAX_NAMED_FAULTS])
    limits = quotas if quotas is not None and caller.customer == resolved.customer else Quotas()
    await lock_customer(session, limits, resolved.customer)
    status = OrderStatus.DRAFT if request.draft else OrderStatus.PENDING_PAYMENT
    header = OrderHeader(resolved.customer, request.label, status, now, request.again, resolved.destination)
    order = await _insert(session, header)
    await _write_lines(session, order, resolved.lines)
    await _check_quotas(session, limits, order)
    session.add(
        TimelineRow(
            order_id=order.id,
            sequence=1,
            at=now,
            actor=caller.actor,
            what="drafted" if request.draft else past_tense(Command.SUBMIT),
            status_after=order.status,
        )
    )
    await session.flush()
    return order


async def _check_quotas(session: AsyncSession, limits: Quotas, order: Order) -> None:
    """Refuse what is too much; the transaction then leaves nothing of the order."""
    await session.flush()
    usage = Usage(1, order.files_total, order.bytes_total)
    raise_if_exceeded(await get_quotas(session, limits, order.customer, order.created_at, usage, counted=True))


async def _insert(session: AsyncSession, header: OrderHeader) -> Order:
    """Insert the order without lines or price, under a label of its own; two at once cannot get the same."""
    label, now, customer = header.label, header.now, header.customer
    serial = (await session.execute(sa.text("SELECT nextval('order_serial')"))).scalar_one()
    values = {
        "number": order_number(now.year, serial),
        "customer": customer,
        "status": header.status,
        "derived_from": header.derived_from,
        "destination_id": header.destination[0] if header.destination else None,
        "destination_name": header.destination[1] if header.destination else None,
        "status_at": now,
        "version": 1,
        "total_price": 0,
        "currency": "",
        "created_at": now,
        "objects_total": 0,
        "files_total": 0,
        "bytes_total": 0,
    }
    candidate = label or default_label(now)
    while True:
        statement = insert(Order).values(label=candidate, **values)
        statement = statement.on_conflict_do_nothing(index_elements=[col(Order.customer), col(Order.label)])
        row = (await session.execute(statement.returning(Order))).scalar_one_or_none()
        if row is not None:
            return row
        if label is not None:
            raise LabelTaken(label)
        taken = set((await session.execute(orders.labels_like(customer, default_label(now)))).scalars())
        candidate = next(free for n in count(2) if (free := numbered(default_label(now), n)) not in taken)


async def _write_lines(session: AsyncSession, order: Order, lines: Sequence[Line]) -> None:
    """Write what each line selects and what that comes to. Raises InvalidOrder if it is nothing."""
    await _select(session, order, lines)
    totals = {row[0]: row for row in await session.execute(selections.selection_totals(order.id))}
    order.objects_total, order.files_total, order.bytes_total = (
        sum(row[column] for row in totals.values()) for column in (1, 2, 3)
    )
    if not order.files_total:
        raise InvalidOrder([nothing_to_order()])
    quote = quote_lines(lines, [totals[n][1] if n in totals else 0 for n in range(1, len(lines) + 1)])
    pairs = zip(lines, quote.lines, strict=True)
    session.add_all(_item(order.id, position, line, priced) for position, (line, priced) in enumerate(pairs, 1))
    order.skus, order.product_names = [line.product.sku for line in lines], [line.product.name for line in lines]
    order.total_price, order.currency = quote.total, quote.currency or ""
    session.add(order)


async def _select(session: AsyncSession, order: Order, lines: Sequence[Line]) -> None:
    seq = 0
    for position, line in enumerate(lines, 1):
        if line.whole:
            where = {"order_id": order.id, "offset": seq, "position": position, "product_id": line.product.id}
            await session.execute(selections.WHOLE_PRODUCT, where)
            seq += _SEQ_SPAN
            continue
        rows = [
            {"order_id": order.id, "seq": seq + n, "position": position, "object_id": o, "file_id": f, "name": name}
            for n, (o, f, name) in enumerate(line.selections(), 1)
        ]
        if rows:
            await session.execute(sa.insert(OrderSelection), rows)
        seq += len(rows)


def _item(order_id: UUID, position: int, line: Line, priced: QuotedLine) -> OrderItem:
    return OrderItem(
        order_id=order_id,
        position=position,
        product_id=line.product.id,
        sku=line.product.sku,
        name=line.product.name,
        configuration=line.configuration,
        quantity=priced.quantity,
        unit_price=priced.unit_price,
        line_total=priced.total,
    )
