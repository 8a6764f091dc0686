"""Quotas of customers: looked up, and kept when orders are placed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import QuotaExceeded
from models.queries import quotas as queries
from models.queries.locks import Kind
from models.quotas import Quota, Quotas, Usage, quota_faults, quotas_of
from services.numbers import hold

NOTHING = Usage()


async def get_quotas(
    session: AsyncSession,
    limits: Quotas,
    customer: str,
    now: datetime,
    order: Usage = NOTHING,
    *,
    counted: bool = False,
) -> list[Quota]:
    """A customer's limits as they are used now, and what an order would add.

    `counted` says that the order has been written already and so is part of what the database counts: it is taken off
    again, or it would be weighed twice.
    """
    if not limits.limits_orders:
        return []
    opened = (await session.execute(queries.open_orders(customer))).scalar_one()
    files, size = (await session.execute(queries.ordered_since(customer, now - limits.period))).one()
    used = Usage(opened, files, size)
    return quotas_of(limits, used - order if counted else used, order)


async def lock_customer(session: AsyncSession, limits: Quotas, customer: str) -> None:
    """Let nobody else order for this customer until the transaction ends."""
    if limits.limits_orders:
        await hold(session, Kind.ORDERS, customer)


def raise_if_exceeded(quotas: Sequence[Quota]) -> None:
    """Raise QuotaExceeded with every limit that an order goes beyond."""
    if faults := quota_faults(quotas):
        raise QuotaExceeded(faults)
