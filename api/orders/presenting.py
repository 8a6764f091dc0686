"""From rows to what the facade shows of them."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api.orders.schemas import (
    CustomerPublic,
    LinksPublic,
    OrderDetail,
    OrderFilePublic,
    OrderItemPublic,
    OrderPublic,
    PricePartPublic,
    SubOrderPublic,
    TimelinePublic,
)
from api.schemas import FailurePublic, FaultPublic
from models.access import Caller
from models.delivery_status import (
    Machinery,
    RetriedStep,
    WaitingOn,
    delivery_status,
    held_up,
    is_waiting_for_user,
    progress,
    waiting_on,
)
from models.destination import DestinationKind
from models.errors import Failure, FailureCode, category_of
from models.links import API
from models.order import OrderStatus, outcome
from models.pricing import PriceUnit, quantity_in_words, written
from models.status_facts import AVAILABLE_SUBORDERS
from models.steps import Step
from models.suborder import SubOrderState
from models.tables import Order, OrderFile, OrderItem, SubOrder, TimelineRow


def order_public(
    order: Order | sa.Row[Any],
    suborders: Mapping[SubOrderState, int],
    public_url: str,
    caller: Caller,
    names: Mapping[str, str],
    blocker: WaitingOn | None = None,
    machinery: Machinery | None = None,
) -> OrderPublic:
    """An order, or a row of its columns, as lists show it.

    `suborders` counts its sub-orders by state, and `names` are those of customers that the caller may see.
    """
    return OrderPublic(**_order(order, order.skus, suborders, public_url, caller, names, blocker, machinery))


def order_detail(
    order: Order,
    items: Sequence[OrderItem],
    suborders: Mapping[SubOrderState, int],
    refund_due: Decimal | None,
    public_url: str,
    caller: Caller,
    names: Mapping[str, str],
    blocker: WaitingOn | None = None,
    machinery: Machinery | None = None,
) -> OrderDetail:
    """An order with its lines."""
    return OrderDetail(
        **_order(order, [item.sku for item in items], suborders, public_url, caller, names, blocker, machinery),
        **price_public(order),
        items=[item_public(item, order.currency) for item in items],
        faults=[FaultPublic(**fault) for fault in order.faults],
        warnings=[FaultPublic(**warning) for warning in order.warnings],
        warnings_total=order.warnings_total,
        refund_due=None if refund_due is None else written(refund_due, order.currency),
        destination=order.destination_name,
        coupon=order.coupon,
        on_missing=order.failure_policy.on_missing,
        max_failed_percent=None if order.max_failed_percent is None else float(order.max_failed_percent),
    )


def _order(
    order: Order | sa.Row[Any],
    skus: Sequence[str],
    suborders: Mapping[SubOrderState, int],
    public_url: str,
    caller: Caller,
    names: Mapping[str, str],
    blocker: WaitingOn | None,
    machinery: Machinery | None,
) -> dict[str, Any]:
    status = OrderStatus(order.status)
    waiting = is_waiting_for_user(status, suborders)
    delivery = delivery_status(status, waiting_for_user=waiting)
    failure = failure_public(order.failure_code, order.failure_text)
    return {
        "id": order.id,
        "number": order.number,
        "label": order.label,
        "customer": CustomerPublic(id=order.customer, name=names.get(order.customer))
        if caller.sees_everything
        else None,
        "status": order.status,
        "status_at": order.status_at,
        "delivery_status": delivery,
        "outcome": outcome(status),
        "waiting_for_user": waiting,
        "waiting_on": waiting_on(
            status,
            waiting_for_user=waiting,
            is_free=order.total_price == 0,
            since=order.status_at,
            blocker=blocker,
            machinery=machinery,
            failed_parts=suborders.get(SubOrderState.FAILED, 0),
        ),
        "allowed_actions": list(caller.allowed_actions(status, order.customer)),
        "progress": progress(
            bytes_settled=order.bytes_settled,
            bytes_total=order.bytes_total,
            files_available=order.files_available,
            files_failed=order.files_failed,
            files_total=order.files_total,
        ),
        "products": list(skus),
        "tags": order.tags,
        "objects": order.objects_total,
        "total_price": written(order.total_price, order.currency),
        "currency": order.currency,
        "created_at": order.created_at,
        "expires_at": order.expires_at,
        "derived_from": order.derived_from,
        "version": order.version,
        "failure": failure,
        "message": failure.text if failure else blocker.text if blocker else f"{delivery}",
        "links": _links(f"{public_url}{API}/orders/{order.id}"),
    }


def _links(url: str) -> LinksPublic:
    places = {"archives": "links"} | {name: name for name in ("suborders", "files", "timeline", "metalink", "stac")}
    return LinksPublic(self=url, **{name: f"{url}/{place}" for name, place in places.items()})


def failure_public(code: str | None, text: str | None) -> FailurePublic | None:
    """A failure, or None where there is none."""
    if code is None:
        return None
    return FailurePublic(category=category_of(FailureCode(code)), code=code, text=text or "")


def item_public(item: OrderItem, currency: str) -> OrderItemPublic:
    """A line, in the currency of its order."""
    return OrderItemPublic(
        product=item.sku,
        name=item.name,
        configuration=item.configuration,
        quantity=item.quantity,
        unit_price=written(item.unit_price, currency),
        price_unit=PriceUnit(item.price_unit),
        billed_quantity=quantity_in_words(item.measure.billed(PriceUnit(item.price_unit))),
        line_total=written(item.line_total, currency),
    )


def price_public(order: Order) -> dict[str, Any]:
    """What the total of an order is made of."""
    return {
        "subtotal": written(order.kept_subtotal, order.currency),
        "discounts": [part_public(part, order.currency) for part in order.discounts],
        "taxes": [part_public(part, order.currency) for part in order.taxes],
        "tax_included": order.tax_included,
        "country": order.country,
    }


def part_public(part: Mapping[str, str], currency: str) -> PricePartPublic:
    """A discount or a tax, as the order keeps it."""
    amounts = {name: written(Decimal(part[name]), currency) for name in ("base", "amount")}
    return PricePartPublic(name=part["name"], percent=part.get("percent"), **amounts)


def suborder_public(suborder: SubOrder, archive_url: str, blocker: WaitingOn | None = None) -> SubOrderPublic:
    """A sub-order; its archive's URL is given once there is an archive."""
    return SubOrderPublic(
        number=suborder.number,
        product=suborder.sku,
        tier=suborder.tier,
        state=suborder.state,
        state_at=suborder.state_at,
        objects=suborder.objects_total,
        files=suborder.files_total,
        files_available=suborder.files_available,
        files_failed=suborder.files_failed,
        bytes=suborder.bytes_total,
        archive_bytes=suborder.archive_bytes,
        archive_url=archive_url if suborder.state in AVAILABLE_SUBORDERS else None,
        waiting_on=blocker,
    )


def file_public(file: OrderFile) -> OrderFilePublic:
    """A file of an order."""
    return OrderFilePublic(
        seq=file.seq,
        suborder=file.suborder,
        id=file.file_id,
        object=file.object_name,
        name=file.name,
        path=file.path,
        media_type=file.media_type,
        size=file.size_bytes,
        sha256=file.sha256.hex() if file.sha256 else None,
        state=file.state,
        failure=failure_public(file.failure_code, file.failure_text),
    )


def timeline_public(row: TimelineRow, names: Mapping[str, str]) -> TimelinePublic:
    """A row of the timeline; `names` are those of people that the caller may see."""
    return TimelinePublic(
        sequence=row.sequence,
        at=row.at,
        actor=row.actor,
        actor_name=names.get(person_of(row.actor)),
        what=row.what,
        status_before=row.status_before,
        status_after=row.status_after,
        reason_code=row.reason_code,
        reason_text=row.reason_text,
        suborder=row.suborder,
        details=row.details,
    )


def person_of(actor: str) -> str:
    """The id of the person who acted, as in `customer:2a1e54767af548f1`; of a part of the service its name."""
    return actor.partition(":")[2] or actor


def blockers(rows: Iterable[sa.Row[Any]]) -> dict[UUID, WaitingOn]:
    """Rows of `BLOCKERS` by order."""
    return {row.order_id: _held_up(row) for row in rows}


def suborder_blockers(rows: Iterable[sa.Row[Any]]) -> dict[int, WaitingOn]:
    """Rows of `BLOCKERS_OF_SUBORDERS` of one order by sub-order."""
    return {row.suborder: _held_up(row) for row in rows}


def _held_up(row: sa.Row[Any]) -> WaitingOn:
    return held_up(
        RetriedStep(
            step=Step(row.step),
            suborder=row.suborder or None,
            failure=Failure(code=FailureCode(row.code), text=row.text),
            since=row.since,
            attempts=row.attempts,
            next_try_at=row.next_try_at,
            destination=DestinationKind(row.kind) if row.kind else None,
        )
    )


def states(rows: Iterable[sa.Row[UUID, str, int]]) -> dict[UUID, dict[SubOrderState, int]]:
    """Rows of `suborder_states` by order."""
    counts: dict[UUID, dict[SubOrderState, int]] = {}
    for row in rows:
        order_id, state, count = row
        counts.setdefault(order_id, {})[SubOrderState(state)] = count
    return counts
