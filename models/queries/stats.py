"""Figures over many orders, for operators: how many, how much, for how long."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from models.destination import DeliveryState
from models.order import TERMINAL, OrderStatus
from models.status_facts import UNSETTLED_SUBORDERS, sql_list
from models.tables import Blocker, Delivery, Destination, Download, Order, SubOrder


def _of(customer: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if customer is None else col(Order.customer) == customer


def _sum(column: int) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)


def orders_by_status(customer: str | None, now: datetime) -> sa.Select[str, int, int, int, float, float]:
    """Status, orders, bytes ordered, bytes settled, longest and mean seconds in it; of a customer or of all (None)."""
    age = sa.extract("epoch", sa.literal(now) - col(Order.status_at))
    return (
        sa.select(
            col(Order.status),
            sa.func.count(),
            _sum(Order.bytes_total),
            _sum(Order.bytes_settled),
            sa.cast(sa.func.max(age), sa.Double),
            sa.cast(sa.func.avg(age), sa.Double),
        )
        .where(_of(customer))
        .group_by(col(Order.status))
        .order_by(col(Order.status))
    )


def orders_by_day(customer: str | None, since: datetime) -> sa.Select[date, int, int, int]:
    """Day of creation (UTC), orders, files and bytes ordered; the newest day first."""
    day = sa.cast(sa.func.timezone("UTC", col(Order.created_at)), sa.Date)
    return (
        sa.select(day, sa.func.count(), _sum(Order.files_total), _sum(Order.bytes_total))
        .where(_of(customer), col(Order.created_at) >= since)
        .group_by(day)
        .order_by(day.desc())
    )


def unsettled_suborders() -> sa.Select[str, int]:
    """State and number of the sub-orders that have not settled."""
    return (
        sa.select(col(SubOrder.state), sa.func.count())
        # Literals, or the planner could not know that the partial index holds them all.
        .where(sa.text(f"state IN ({sql_list(UNSETTLED_SUBORDERS)})"))
        .group_by(col(SubOrder.state))
    )


def orders_held_up(now: datetime) -> sa.Select[str, str | None, int, float]:
    """Code, kind of the orders' destination, orders and longest seconds of what is tried again by itself just now."""
    age = sa.extract("epoch", sa.literal(now) - col(Blocker.since))
    kind = sa.cast(col(Destination.kind), sa.Text)
    return (
        sa.select(
            col(Blocker.code),
            kind,
            sa.func.count(col(Blocker.order_id).distinct()),
            sa.cast(sa.func.max(age), sa.Double),
        )
        .join(Order, col(Order.id) == col(Blocker.order_id))
        .outerjoin(Destination, col(Destination.id) == col(Order.destination_id))
        .group_by(col(Blocker.code), kind)
    )


def failed_orders() -> sa.Select[str, int]:
    """Code and number of the orders that have failed."""
    return (
        sa.select(sa.func.coalesce(col(Order.failure_code), "unknown"), sa.func.count())
        .where(col(Order.status) == OrderStatus.FAILED)
        .group_by(col(Order.failure_code))
    )


def failed_deliveries() -> sa.Select[str, int]:
    """Code and number of the deliveries that have been given up."""
    return (
        sa.select(sa.func.coalesce(col(Delivery.failure_code), "unknown"), sa.func.count())
        .where(col(Delivery.state) == DeliveryState.FAILED)
        .group_by(col(Delivery.failure_code))
    )


def open_matters(now: datetime, *, downloads_since: datetime, soon: timedelta) -> sa.Select[int, int, int, int]:
    """Orders that wait for their payment, orders that end soon, files that have failed, and downloads under way."""
    unpaid = sa.select(sa.func.count()).where(
        col(Order.status) == OrderStatus.PENDING_PAYMENT, col(Order.total_price) > 0, col(Order.started_at).is_not(None)
    )
    ending = sa.select(sa.func.count()).where(
        col(Order.expires_at).between(now, now + soon), col(Order.status).not_in(TERMINAL)
    )
    failed = sa.select(_sum(Order.files_failed)).where(col(Order.files_failed) > 0)
    downloads = sa.select(sa.func.count()).where(col(Download.seen_at) >= downloads_since)
    return sa.select(*(query.scalar_subquery() for query in (unpaid, ending, failed, downloads)))


def orders_without_workflow() -> sa.Select[int]:
    """How many accepted orders Temporal has yet to be told of."""
    return sa.select(sa.func.count()).select_from(Order).where(col(Order.started_at).is_(None))
