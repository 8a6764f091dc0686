"""Quotas of customers: looked up, told, and kept when orders are placed."""

from datetime import datetime

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.http.limiting import RateLimitState, report_limit
from models.errors import QuotaExceeded
from models.queries import quotas as queries
from models.quotas import Quota, Quotas, Usage, quota_faults, quotas_of

NOTHING = Usage()


class QuotaPublic(BaseModel):
    """A limit of yours."""

    name: str
    limit: int
    used: int
    remaining: int
    window_seconds: int | None = Field(description="The span that `used` looks back on, where it does.")


class QuotasPublic(BaseModel):
    """Your limits; one that is not here there is none of."""

    items: list[QuotaPublic]


def quota_public(quota: Quota) -> QuotaPublic:
    """A limit as it is told."""
    window = int(quota.window.total_seconds()) if quota.window else None
    return QuotaPublic(
        name=quota.name, limit=quota.limit, used=quota.used, remaining=quota.remaining, window_seconds=window
    )


async def looked_up(
    session: AsyncSession,
    limits: Quotas,
    customer: str,
    now: datetime,
    order: Usage = NOTHING,
    *,
    counted: bool = False,
) -> list[Quota]:
    """A customer's limits as they are used now, and what an order adds, which may be `counted` there already."""
    if not limits.limits_orders:
        return []
    opened = (await session.execute(queries.open_orders(customer))).scalar_one()
    files, size = (await session.execute(queries.ordered_since(customer, now - limits.period))).one()
    used = Usage(opened, files, size)
    return quotas_of(limits, used - order if counted else used, order)


async def hold(session: AsyncSession, limits: Quotas, customer: str) -> None:
    """Let nobody else order for this customer until the transaction ends."""
    if limits.limits_orders:
        await session.execute(queries.HOLD, {"customer": customer})


def check(quotas: list[Quota]) -> None:
    """Raises QuotaExceeded with every limit that an order goes beyond."""
    if faults := quota_faults(quotas):
        raise QuotaExceeded(faults)


def tell_all(request: Request, quotas: list[Quota]) -> None:
    """Tell the limits in the headers of the answer, with what is left behind the order."""
    for quota in quotas:
        window = int(quota.window.total_seconds()) if quota.window else None
        report_limit(request, RateLimitState(quota.name.replace("_", "-"), quota.limit, quota.left, window))
