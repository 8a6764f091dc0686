"""How much of their quotas customers use."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.quotas import OPEN
from models.status_facts import RETURNS_QUOTA
from models.tables import Order


def open_orders(customer: str) -> sa.Select[int]:
    """How many open orders a customer has."""
    is_open = col(Order.status) == sa.any_(sa.literal(sorted(OPEN), ARRAY(sa.Text)))
    return sa.select(sa.func.count()).select_from(Order).where(col(Order.customer) == customer, is_open)


def ordered_since(customer: str, since: datetime) -> sa.Select[int, int]:
    """Files and bytes a customer has ordered since; an order that ended with nothing does not count."""
    ended = col(Order.status) == sa.any_(sa.literal(sorted(RETURNS_QUOTA), ARRAY(sa.Text)))
    files, size = (
        sa.cast(sa.func.coalesce(sa.func.sum(total), 0), sa.BigInteger)
        for total in (Order.files_total, Order.bytes_total)
    )
    return sa.select(files, size).where(
        col(Order.customer) == customer,
        col(Order.created_at) > since,
        ~sa.and_(ended, col(Order.files_available) == 0),
    )
