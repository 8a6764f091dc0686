"""The worker process put together: it waits for what it needs, then works until it is told to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import TypeVar

import structlog
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from activities.delivery import DeliveringActivities
from activities.storage_work import WorkerPools
from cli.errors import CommandFailed
from cli.runtime import gc
from cli.runtime.client_factory import runtime_with_metrics, temporal_client
from cli.runtime.delivery_targets import delivery_targets
from cli.runtime.loading import temporal_config
from cli.runtime.settings import Settings
from cli.runtime.thread_metrics import report_threads
from database.engine import make_engine, make_sessions
from database.readiness import Unready, check
from migrations.head import head
from models.tasks import background_task
from storage.sources.registry import Sources
from temporal.schedules import ensure_schedule
from temporal.search_attributes import ALL, MayNotRegister, register
from workflows.worker import deliveries_worker, orders_worker, packaging_worker

Found = TypeVar("Found")

_WAIT = 0.1
_TELL_AGAIN = 30.0

log = structlog.get_logger()


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; waits for a database and a Temporal that are still coming up."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    engine = make_engine(settings.database_url)
    migrated = await _until("database", DatabaseWatch(settings.database_url).look, stopped)
    runtime = runtime_with_metrics(settings.worker_metrics)
    client = await _until("temporal", TemporalWatch(runtime).look, stopped)
    if not migrated or client is None:
        return
    sessions = make_sessions(engine)
    sources = Sources()
    pools = WorkerPools(settings.storage_timeout.total_seconds())
    deliver = DeliveringActivities(sessions, delivery_targets(settings), sources, pools.delivering).deliver_suborder
    packaging = packaging_worker(
        client,
        sessions,
        sources=sources,
        verify=settings.verify,
        pieces=settings.pieces,
        deliver=deliver,
        pools=pools,
    )
    deliveries = deliveries_worker(client, sessions, deliver)
    reporting = background_task(report_threads(runtime, pools)) if runtime else nullcontext()
    orders = orders_worker(client, sessions, settings.shop, sources=sources, pools=pools)
    async with orders, packaging, deliveries, reporting:
        gc.tune_gc()
        log.info("worker started", namespace=client.namespace)
        await stopped.wait()
    await engine.dispose()


async def _until(what: str, attempt: Callable[[], Awaitable[Found | None]], stopped: asyncio.Event) -> Found | None:
    """What the attempt finds in the end; None when somebody has had enough."""
    log.info("waiting", what=what)
    while not stopped.is_set():
        if (found := await attempt()) is not None:
            return found
        await asyncio.sleep(_WAIT)
    return None


class _Repeating:
    """Tells when it is time to say what somebody waits for: when that is new, and each half a minute."""

    def __init__(self) -> None:
        self._told: tuple[object, float] | None = None

    def is_due(self, what: object, now: float) -> bool:
        """Whether to say it now, which is then taken for said."""
        if self._told is not None and self._told[0] == what and now - self._told[1] < _TELL_AGAIN:
            return False
        self._told = what, now
        return True


class DatabaseWatch:
    """Looks whether the database is ready, and says why not: each reason when it is new, and each half a minute."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._repeating = _Repeating()

    async def look(self) -> bool | None:
        """True when it is ready, else None. Raises CommandFailed where waiting does not help."""
        unready = await check(self._url, head())
        if unready is None:
            return True
        self.tell(unready, asyncio.get_running_loop().time())
        return None

    def tell(self, unready: Unready, now: float) -> None:
        """Log what stands against the database, unless that was done a moment ago."""
        if unready.code == "too_old":
            raise CommandFailed(str(unready))
        if self._repeating.is_due(unready, now):
            log.warning("waiting for the database", reason=unready.reason, remedy=unready.remedy)


class TemporalWatch:
    """Connects to Temporal, and says why it cannot: each reason when it is new, and each half a minute."""

    def __init__(self, runtime: Runtime | None) -> None:
        self._runtime = runtime
        self._repeating = _Repeating()

    async def look(self) -> Client | None:
        """A client that serves our namespace, or None."""
        try:
            return await _connected(self._runtime)
        except (RPCError, RuntimeError, TimeoutError) as error:
            self.tell(error, asyncio.get_running_loop().time())
            return None

    def tell(self, error: Exception, now: float) -> None:
        """Log what stands against it, unless that was done a moment ago."""
        config = temporal_config()
        address, namespace = config.get("target_host", "localhost:7233"), config.get("namespace", "default")
        if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
            reason = f"Temporal at {address} has no namespace {namespace}"
            remedy = f"make it (`temporal operator namespace create -n {namespace}`), or mend TEMPORAL_NAMESPACE"
        else:
            reason = f"Temporal at {address} does not answer"
            remedy = "start it, or mend TEMPORAL_ADDRESS and what it needs"
        if self._repeating.is_due(reason, now):
            log.warning("waiting for temporal", reason=reason, remedy=remedy, error=str(error))


async def _connected(runtime: Runtime | None) -> Client:
    """A client whose Temporal serves our namespace; search attributes and the schedule are ensured on the way.

    Raises RPCError, RuntimeError or TimeoutError.
    """
    async with asyncio.timeout(5):
        client = await temporal_client(lazy=False, runtime=runtime)
        await _register(client)
        await ensure_schedule(client)
    return client


async def _register(client: Client) -> None:
    """Without the search attributes no order starts; where we may not add them, an engineer has to."""
    try:
        if added := await register(client):
            log.info("search attributes added", names=added)
    except MayNotRegister as error:
        log.warning("search attributes not looked at", names=[key.name for key in ALL], error=str(error))
