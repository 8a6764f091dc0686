"""Placing an order: its lines are resolved and priced, every fault is named, and it is written in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.errors import FailureCode, Fault, InvalidOrder, LabelTaken
from models.failure_policy import FailurePolicy
from models.labels import counted, default_label, numbered, order_number
from models.messages import new_order_workflow_id
from models.order import Command, OrderStatus, past_tense
from models.order_request import OrderRequest
from models.pricing import Measure, QuotedLine, price_in_words
from models.queries import orders, selections
from models.quotas import Quotas, Usage
from models.tables import Order, OrderItem, OrderSelection, TimelineRow
from models.tables.orders import HOLDS_LABEL, LABEL_KEY
from models.text import folded
from services.order_lines import (
    MAX_NAMED_FAULTS,
    PRICE_CHANGED,
    Destination,
    Line,
    gone_from_storage,
    look_again,
    missing_among,
    nothing_left,
    nothing_to_order,
    quote_lines,
    resolve,
    told,
)
from services.pricing import Prices, freeze, use_coupon
from services.product_limits import limit_faults_of
from services.quotas import get_quotas, lock_customer, raise_if_exceeded
from services.storage_check import MAX_CHECKED, StorageCheck

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
    policy: FailurePolicy


async def place(
    session: AsyncSession,
    caller: Caller,
    request: OrderRequest,
    now: datetime,
    quotas: Quotas | None = None,
    check: StorageCheck | None = None,
) -> Order:
    """Create an order at today's prices. Raises InvalidOrder with every fault, LabelTaken or QuotaExceeded.

    What is gone is left out, and told in the order's warnings.

    An operator who orders again for a customer knows why, and is held to none of their quotas.
    """
    resolved = await resolve(session, caller, request, now, check)
    if faults := [*resolved.faults, *resolved.prices.faults]:
        raise InvalidOrder(faults[:MAX_NAMED_FAULTS])
    limits = quotas if quotas is not None and caller.customer == resolved.customer else Quotas()
    await lock_customer(session, limits, resolved.customer)
    status = OrderStatus.DRAFT if request.draft else OrderStatus.PENDING_PAYMENT
    header = OrderHeader(
        resolved.customer, request.label, status, now, request.again, resolved.destination, resolved.policy
    )
    order = await _insert(session, header)
    await _select(session, order, resolved.lines)
    fault = await _write_prices(session, order, resolved.lines, resolved.prices, take_coupon=not request.draft)
    if fault:
        raise InvalidOrder([fault])
    _require_files(order, resolved.warnings)
    keep_warnings(order, resolved.warnings)
    await _check_quotas(session, limits, order)
    code, text = warned(resolved.warnings)
    session.add(
        TimelineRow(
            order_id=order.id,
            sequence=1,
            at=now,
            actor=caller.actor,
            what="drafted" if request.draft else past_tense(Command.SUBMIT),
            status_after=order.status,
            reason_code=code,
            reason_text=text,
        )
    )
    await session.flush()
    return order


async def renew_draft(
    session: AsyncSession, caller: Caller, order_id: UUID, check: StorageCheck, now: datetime
) -> Order:
    """Bring a draft up to date before it is submitted: what is gone is left out, and prices are today's.

    So is a coupon that is not valid any more. Raises InvalidOrder where nothing is left, or where what is left can be
    no order. An order that is no draft, or not any more, stays as it is.
    """
    coupon = (await session.get_one(Order, order_id)).coupon
    resolved = await resolve(session, caller, OrderRequest(again=order_id, coupon=coupon), now, check)
    order = (await session.execute(orders.order_by_id(order_id).with_for_update())).scalar_one()
    if order.status != OrderStatus.DRAFT:
        return order
    if resolved.faults:
        raise InvalidOrder(resolved.faults[:MAX_NAMED_FAULTS])
    resolved.warnings.extend(await _changed(session, order))
    resolved.warnings.extend(map(_without_coupon, resolved.prices.faults))
    if resolved.warnings:
        for statement in selections.remove_lines(order_id):
            await session.execute(statement)
        if resolved.destination is None:
            order.destination_id = order.destination_name = None
        await _select(session, order, resolved.lines)
    else:
        # Priced again, and selected as it was.
        removed = await session.execute(selections.remove_items(order_id))
        for line, (_, described) in zip(resolved.lines, sorted(removed.all()), strict=True):
            line.described = described
    before = order.total_price, order.currency
    lines, prices = resolved.lines, resolved.prices
    if fault := await _write_prices(session, order, lines, prices, take_coupon=True):
        resolved.warnings.append(_without_coupon(fault))
        await _write_prices(session, order, lines, prices.without_coupon(), take_coupon=False)
    _require_files(order, resolved.warnings)
    after = order.total_price, order.currency
    if after != before and not resolved.warnings:
        text = f"the order costs {price_in_words(*after) or 'nothing'} today, where it was {price_in_words(*before)}"
        resolved.warnings.append(Fault(field="total_price", code=PRICE_CHANGED, text=text))
    keep_warnings(order, resolved.warnings)
    session.add(order)
    return order


def _without_coupon(fault: Fault) -> Fault:
    return fault.model_copy(update={"text": f"{fault.text}; the order is without it"})


async def _changed(session: AsyncSession, draft: Order) -> list[Fault]:
    """Objects that have changed since they were drafted, and are ordered as they are now."""
    names = await session.execute(selections.changed_since(draft.id, draft.created_at, limit=MAX_NAMED_FAULTS))
    text = "has changed since it was drafted; it is ordered as it is now"
    return [Fault(field=name, code=FailureCode.CATALOGUE_CHANGED, text=f"{name} {text}") for (name,) in names]


async def check_payable(session: AsyncSession, order: Order, check: StorageCheck) -> None:
    """Add to the warnings of an order that is about to be paid which files are gone.

    Raises InvalidOrder if all are, or so many that the order would fail by its policy once it is paid.

    Its price stays as it was ordered at, and so does what it selects: what is gone may be back when it is read.
    """
    lines, missing = await look_again(session, order, None, None)
    looked_at, gone = await gone_from_storage(session, lines, check)
    warnings = told(missing) + [
        fault.model_copy(update={"text": f"when it was paid: {fault.text}; it is delivered if it is back by then"})
        for _, fault in gone
    ]
    if not lines or len(gone) == looked_at < MAX_CHECKED:
        raise InvalidOrder([nothing_left(), *warnings][:MAX_NAMED_FAULTS])
    policy = order.failure_policy
    if faults := policy.missing([*missing_among(missing), *(fault for _, fault in gone)]):
        raise InvalidOrder(faults[:MAX_NAMED_FAULTS])
    if (failure := policy.too_many(len(gone), order.files_total)) is not None:
        fault = Fault(field="max_failed_percent", code=failure.code, text=failure.text)
        raise InvalidOrder([fault, *warnings][:MAX_NAMED_FAULTS])
    keep_warnings(order, [warning for warning in warnings if warning.code != PRICE_CHANGED])
    session.add(order)


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
        "on_missing": header.policy.on_missing,
        "max_failed_percent": header.policy.max_failed_percent,
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
        statement = statement.on_conflict_do_nothing(index_elements=LABEL_KEY, index_where=HOLDS_LABEL)
        row = (await session.execute(statement.returning(Order))).scalar_one_or_none()
        if row is not None:
            row.kept_workflow_id = new_order_workflow_id(row.number, row.id)
            return row
        if label is not None:
            raise LabelTaken(label)
        taken = set((await session.execute(orders.labels_like(customer, default_label(now)))).scalars())
        candidate = next(free for n in count(2) if folded(free := numbered(default_label(now), n)) not in taken)


async def _write_prices(
    session: AsyncSession, order: Order, lines: Sequence[Line], prices: Prices, *, take_coupon: bool
) -> Fault | None:
    """Write what selected lines come to and cost; nothing of it where the coupon is refused, with the fault.

    Raises InvalidOrder if it is too much.
    """
    totals = {row[0]: row for row in await session.execute(selections.selection_totals(order.id))}
    measures = [Measure(*totals.get(n, (n, 0, 0, 0))[1:]) for n in range(1, len(lines) + 1)]
    if faults := limit_faults_of(lines, measures):
        raise InvalidOrder(faults)
    quote = quote_lines(lines, measures, prices)
    if fault := quote.refused or (await use_coupon(session, order, prices.coupon) if take_coupon else None):
        return fault
    order.objects_total, order.files_total, order.bytes_total = (
        sum(row[column] for row in totals.values()) for column in (1, 2, 3)
    )
    pairs = zip(lines, quote.lines, strict=True)
    session.add_all(_item(order.id, position, line, priced) for position, (line, priced) in enumerate(pairs, 1))
    order.skus, order.product_names = [line.product.sku for line in lines], [line.product.name for line in lines]
    freeze(order, quote)
    session.add(order)
    return None


def _require_files(order: Order, warnings: Sequence[Fault]) -> None:
    """Raise InvalidOrder where nothing is ordered."""
    if not order.files_total:
        raise InvalidOrder([nothing_left(), *warnings][:MAX_NAMED_FAULTS] if warnings else [nothing_to_order()])


async def _select(session: AsyncSession, order: Order, lines: Sequence[Line]) -> None:
    seq = 0
    for position, line in enumerate(lines, 1):
        if line.whole:
            where = {"order_id": order.id, "offset": seq, "position": position, "product_id": line.product.id}
            await session.execute(selections.WHOLE_PRODUCT, where | {"left_out": list(line.left_out)})
            seq += _SEQ_SPAN
            continue
        if line.cart is not None:
            where = {"order_id": order.id, "offset": seq, "position": position, "product_id": line.product.id}
            await session.execute(selections.FROM_CART, where | {"left_out": list(line.left_out), "cart": line.cart})
            seq += _SEQ_SPAN
        rows = [
            {"order_id": order.id, "seq": seq + n, "position": position, "object_id": o, "file_id": f, "name": name}
            for n, (o, f, name) in enumerate(line.selections(), 1)
        ]
        if rows:
            await session.execute(sa.insert(OrderSelection), rows)
        seq += len(rows)


def keep_warnings(order: Order, warnings: Sequence[Fault]) -> None:
    """Add new warnings to those of an order, the first hundred in full."""
    known = {(warning["field"], warning["code"]) for warning in order.warnings}
    new = [warning.model_dump() for warning in warnings if (warning.field, warning.code) not in known]
    order.warnings = [*order.warnings, *new][:MAX_NAMED_FAULTS]
    order.warnings_total += len(new)


def warned(warnings: Sequence[Fault]) -> tuple[str | None, str | None]:
    """What the timeline tells of warnings, as code and sentence: the first, and how many more there are."""
    if not warnings:
        return None, None
    more = f"; and {counted(len(warnings) - 1, 'more warning')}" if len(warnings) > 1 else ""
    return warnings[0].code, f"{warnings[0].text}{more}"


def _item(order_id: UUID, position: int, line: Line, priced: QuotedLine) -> OrderItem:
    return OrderItem(
        order_id=order_id,
        position=position,
        product_id=line.product.id,
        sku=line.product.sku,
        name=line.product.name,
        configuration=line.configuration,
        quantity=priced.measure.objects,
        unit_price=priced.price.amount,
        line_total=priced.total,
        price_unit=priced.price.unit,
        tax_class=priced.tax_class,
        files=priced.measure.files,
        bytes=priced.measure.bytes,
    )
