"""Figures over many orders, for operators: how many, how much, for how long."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import col

from models.status_facts import UNSETTLED_SUBORDERS, sql_list
from models.tables import Order, SubOrder


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


def orders_without_workflow() -> sa.Select[int]:
    """How many accepted orders Temporal has yet to be told of."""
    return sa.select(sa.func.count()).select_from(Order).where(col(Order.started_at).is_(None))
