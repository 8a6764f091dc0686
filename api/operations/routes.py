"""Figures: as JSON of the orders the caller may see, and for Prometheus, on a port of their own, of everything."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from api.identity.authenticate import CallerDep
from api.operations.metrics import HeldUp, StatusFigures
from api.operations.state import OperationsServices, OperationsServicesDep
from models.delivery_status import who_can_act
from models.destination import DestinationKind
from models.errors import FailureCode
from models.order import OrderStatus, outcome
from models.queries import stats
from services.download_tracking import DOWNLOAD_ALIVE

stats_router = APIRouter(prefix="/stats", tags=["operations"])

OPEN = frozenset(status for status in OrderStatus if outcome(status) == "pending")


class StatusStats(BaseModel):
    """The orders of one status."""

    status: str
    orders: int
    bytes: int
    bytes_settled: int
    oldest_seconds: float
    mean_seconds: float


class DayStats(BaseModel):
    """The orders created on one day (UTC)."""

    day: date
    orders: int
    files: int
    bytes: int


class Stats(BaseModel):
    """Figures of the orders you may see; `oldest_seconds` and `mean_seconds` are times in the present status."""

    by_status: list[StatusStats]
    by_day: list[DayStats]
    degraded: bool


Days = Annotated[int, Query(ge=1, le=366, description="How many days back `by_day` goes.")]


@stats_router.get("", name="show-stats")
async def show_stats(services: OperationsServicesDep, caller: CallerDep, days: Days = 30) -> Stats:
    """Numbers and sizes of orders by status, with the times they have had it, and by day."""
    customer, now = caller.visibility.customer, services.now()
    async with services.sessions.begin() as session:
        statuses = (await session.execute(stats.orders_by_status(customer, now))).all()
        by_day = (await session.execute(stats.orders_by_day(customer, now - timedelta(days=days)))).all()
    return Stats(
        by_status=[StatusStats(**dict(zip(StatusStats.model_fields, row, strict=True))) for row in statuses],
        by_day=[DayStats(**dict(zip(DayStats.model_fields, row, strict=True))) for row in by_day],
        degraded=services.operations.temporal_health.unavailable,
    )


def metrics_app(services: OperationsServices) -> ASGIApp:
    """An application of its own, for a port that only Prometheus reaches: it asks nobody who they are."""

    async def metrics(_: Request) -> Response:
        return Response(await collect(services), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/metrics", metrics)])


async def collect(services: OperationsServices) -> bytes:
    """All metrics for Prometheus; what cannot be looked up is left as it was, and `…_up` says so."""
    operations = services.operations
    gauges = operations.metrics
    gauges.under_way.set(operations.draining.requests)
    gauges.streams.set(len(operations.hub))
    gauges.draining.set(operations.draining.started)
    pool = services.sessions.kw["bind"].pool
    gauges.connections.set(pool.checkedout() if isinstance(pool, QueuePool) else 0)
    health = operations.temporal_health
    gauges.temporal_up.set(not health.unavailable)
    gauges.show_queues(health.queues)
    if health.reconciled is not None:
        gauges.reconciled.set(health.reconciled.timestamp())
    await _collect_from_database(services)
    return gauges.text()


async def _collect_from_database(services: OperationsServices) -> None:
    """Look up the figures of all orders, unless that was done less than ten seconds ago, for whomever."""
    gauges, now = services.operations.metrics, services.now()
    if not services.operations.figures.are_due():
        return
    try:
        async with services.sessions.begin() as session:
            rows = (await session.execute(stats.orders_by_status(None, services.now()))).all()
            waiting = {row[0]: row[1] for row in await session.execute(stats.unsettled_suborders())}
            unstarted = (await session.execute(stats.orders_without_workflow())).scalar_one()
            blocked = (await session.execute(stats.orders_held_up(now))).all()
            failed = dict((await session.execute(stats.failed_orders())).all())
            undelivered = dict((await session.execute(stats.failed_deliveries())).all())
            matters = stats.open_matters(now, downloads_since=now - DOWNLOAD_ALIVE, soon=timedelta(days=1))
            unpaid, ending, files, downloads = (await session.execute(matters)).one()
    except (DBAPIError, PoolTimeoutError):
        gauges.database_up.set(0)
        services.operations.figures.forget()
        return
    gauges.database_up.set(1)
    gauges.show_orders([StatusFigures(s, n, size, oldest, mean) for s, n, size, _, oldest, mean in rows], OPEN)
    gauges.show_suborders(waiting)
    gauges.unstarted.set(unstarted)
    gauges.show_held_up(_held_up(blocked))
    gauges.show_failed(failed, undelivered)
    gauges.unpaid.set(unpaid)
    gauges.ending.set(ending)
    gauges.files_failed.set(files)
    gauges.downloads.set(downloads)


def _held_up(rows: Iterable[tuple[str, str | None, int, float]]) -> list[HeldUp]:
    """Rows by code and kind of destination as figures by code and who can act."""
    found: dict[tuple[str, str], HeldUp] = {}
    for code, kind, orders, oldest in rows:
        who = who_can_act(FailureCode(code), DestinationKind(kind) if kind else None)
        known = found.get((code, who), HeldUp(code, who, 0, 0))
        found[code, who] = HeldUp(code, who, known.orders + orders, max(known.oldest, oldest))
    return list(found.values())
