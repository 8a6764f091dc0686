"""Queries for destinations and deliveries."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from models.destination import DeliveryState
from models.errors import Failure
from models.listing import Position
from models.queries.names import Page, page_by_name
from models.status_facts import AVAILABLE_SUBORDERS
from models.suborder import FileState, SubOrderState, file_states_before, states_before
from models.tables import Delivery, Destination, Order, OrderFile, SubOrder
from models.text import tidied


def destinations_counted(customer: str) -> sa.Select[int]:
    """How many destinations a customer has."""
    return sa.select(sa.func.count()).select_from(Destination).where(col(Destination.customer) == customer)


def destinations_of(customer: str) -> sa.Select[Destination]:
    """The destinations of a customer, by name."""
    return (
        sa.select(Destination).where(col(Destination.customer) == customer).order_by(sa.func.folded(Destination.name))
    )


def page_of_destinations(customer: str, after: Position | None, limit: int) -> Page[Destination]:
    """A page of them."""
    return page_by_name(destinations_of(customer), Destination.name, Destination.id, after, limit)


def destination_of(customer: str, key: str) -> sa.Select[Destination]:
    """One destination of a customer, by id or name; a name in whatever case, unless one is written so exactly."""
    own = sa.select(Destination).where(col(Destination.customer) == customer)
    try:
        return own.where(col(Destination.id) == UUID(key))
    except ValueError:
        name = tidied(key)
    same = sa.func.folded(Destination.name) == sa.func.folded(name)
    return own.where(same).order_by((col(Destination.name) == name).desc()).limit(1)


def destination_named(customer: str, name: str) -> sa.Select[UUID]:
    """The destination of a customer that has this name, in whatever case."""
    same = sa.func.folded(Destination.name) == sa.func.folded(name)
    return sa.select(col(Destination.id)).where(col(Destination.customer) == customer, same).limit(1)


def destination_by_id(customer: str, key: UUID | None) -> sa.Select[Destination]:
    """A destination of a customer that an order has kept the id of."""
    return destinations_of(customer).where(col(Destination.id) == key)


def destination_of_order(order_id: UUID) -> sa.Select[Destination]:
    """Where the archives of an order go; no row where it was removed, or there never was one."""
    return (
        sa.select(Destination)
        .join(Order, col(Order.destination_id) == col(Destination.id))
        .where(col(Order.id) == order_id, col(Order.customer) == col(Destination.customer))
    )


def deliveries_of(order_id: UUID, *, after: int = 0, limit: int | None = None) -> sa.Select[Delivery]:
    """What became of the deliveries of an order so far, or a page of it behind the sub-order numbered `after`."""
    query = sa.select(Delivery).where(col(Delivery.order_id) == order_id, col(Delivery.suborder) > after)
    return query.order_by(col(Delivery.suborder)).limit(limit)


def delivery_of(order_id: UUID, number: int) -> sa.Select[Delivery]:
    """What became of one sub-order's delivery."""
    return deliveries_of(order_id).where(col(Delivery.suborder) == number)


def is_undelivered() -> sa.ColumnElement[bool]:
    """Whether the archive of a sub-order, in a query of these, has yet to be delivered."""
    settled = sa.exists().where(
        col(Delivery.order_id) == col(SubOrder.order_id), col(Delivery.suborder) == col(SubOrder.number)
    )
    wanted = sa.exists().where(col(Order.id) == col(SubOrder.order_id), col(Order.destination_id).is_not(None))
    return sa.and_(col(SubOrder.state).in_(AVAILABLE_SUBORDERS), wanted, ~settled)


def undelivered_suborders(order_id: UUID, *, after: int = 0, limit: int) -> sa.Select[SubOrder]:
    """A page of the sub-orders of an order whose archive is ready and has yet to be delivered, behind `after`."""
    query = sa.select(SubOrder).where(col(SubOrder.order_id) == order_id, is_undelivered())
    return query.where(col(SubOrder.number) > after).order_by(col(SubOrder.number)).limit(limit)


def undelivered_of(order_id: UUID) -> sa.Select[int]:
    """How many archives of an order could not be delivered."""
    return sa.select(sa.func.count()).where(
        col(Delivery.order_id) == order_id, col(Delivery.state) == DeliveryState.FAILED
    )


def settle_delivery(
    order_id: UUID,
    number: int,
    *,
    etag: str | None = None,
    location: str | None = None,
    size: int | None = None,
    failure: Failure | None = None,
) -> sa.Insert:
    """Write what became of a delivery; one that has arrived is not undone by a late failure."""
    values = {
        "state": DeliveryState.FAILED if failure else DeliveryState.DELIVERED,
        "etag": etag,
        "location": location,
        "size_bytes": size,
        "failure_code": failure.code if failure else None,
        "failure_text": failure.text if failure else None,
        "at": sa.func.now(),
    }
    written = insert(Delivery).values(order_id=order_id, suborder=number, **values)
    return written.on_conflict_do_update(
        index_elements=[col(Delivery.order_id), col(Delivery.suborder)],
        set_=values,
        where=col(Delivery.state) == DeliveryState.FAILED if failure else sa.true(),
    )


def mark_delivered(order_id: UUID, number: int, etag: str) -> ReturningUpdate[int]:
    """What was delivered counts as downloaded, if it still is the archive that is shown."""
    return (
        sa.update(SubOrder)
        .where(
            col(SubOrder.order_id) == order_id,
            col(SubOrder.number) == number,
            col(SubOrder.archive_etag) == etag,
            col(SubOrder.state).in_(states_before(SubOrderState.DOWNLOADED)),
        )
        .values(state=SubOrderState.DOWNLOADED, state_at=sa.func.now())
        .returning(col(SubOrder.number))
    )


def mark_files_delivered(order_id: UUID, number: int) -> sa.Update:
    """The same for its files."""
    return (
        sa.update(OrderFile)
        .where(
            col(OrderFile.order_id) == order_id,
            col(OrderFile.suborder) == number,
            col(OrderFile.state).in_(file_states_before(FileState.DOWNLOADED)),
        )
        .values(state=FileState.DOWNLOADED)
    )


REOPEN_DELIVERIES = sa.text(
    """
    DELETE FROM deliveries d USING suborders s
    WHERE d.order_id = :order_id AND s.order_id = d.order_id AND s.number = d.suborder
      AND ((:all AND d.state = 'failed') OR s.state = 'planned')
    """
)
"""Have failed deliveries tried again, and those whose archive is made again."""

NAME_DELIVERIES = sa.text(
    """
    UPDATE timeline t SET details = t.details || jsonb_build_object('destination', o.destination_name)
        || CASE WHEN d.location IS NULL THEN '{}' ELSE jsonb_build_object('location', d.location) END
    FROM deliveries d JOIN orders o ON o.id = d.order_id
    WHERE t.order_id = :order_id AND t.sequence = ANY(CAST(:sequences AS bigint[]))
      AND d.order_id = t.order_id AND d.suborder = t.suborder
    """
)
"""Add to timeline rows where it went; a location holds the customer's label, which no workflow may know."""
