"""Quotas as the facade shows them: in bodies and in the headers of answers."""

from collections.abc import Iterable

from fastapi import Request
from pydantic import BaseModel, Field

from api.http.limiting import RateLimitState, report_limit
from models.quotas import Quota


class QuotaPublic(BaseModel):
    """A limit of yours."""

    name: str
    limit: int
    used: int
    remaining: int
    window_seconds: int | None = Field(description="The span that `used` looks back on, where it does.")


class QuotasPublic(BaseModel):
    """Your limits. A limit that is absent does not apply."""

    items: list[QuotaPublic]


def quota_public(quota: Quota) -> QuotaPublic:
    """A limit."""
    return QuotaPublic(
        name=quota.name,
        limit=quota.limit,
        used=quota.used,
        remaining=quota.remaining,
        window_seconds=_window_seconds(quota),
    )


def report_quotas(request: Request, quotas: Iterable[Quota]) -> None:
    """Have the headers of the answer tell the limits, with what the order leaves of them."""
    for quota in quotas:
        name = quota.name.replace("_", "-")
        report_limit(request, RateLimitState(name, quota.limit, quota.left, _window_seconds(quota)))


def _window_seconds(quota: Quota) -> int | None:
    return int(quota.window.total_seconds()) if quota.window else None
