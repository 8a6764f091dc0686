"""The worker process put together: it waits for what it needs, then works until it is told to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.service import RPCError

from cli.runtime import gc
from cli.runtime.client_factory import runtime_with_metrics, temporal_client
from cli.runtime.delivery_targets import delivery_targets
from cli.runtime.settings import Settings
from database.engine import make_engine, make_sessions
from models.messages import OrderTimeouts
from storage.sources.registry import Sources
from temporal.schedules import ensure_schedule
from temporal.search_attributes import ALL, MayNotRegister, register
from workflows.worker import orders_worker, packaging_worker

Found = TypeVar("Found")

_WAIT = 0.1

log = structlog.get_logger()


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; waits for a database and a Temporal that are still coming up."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    engine = make_engine(settings.database_url)
    migrated = await _until("database", lambda: _is_migrated(engine), stopped)
    runtime = runtime_with_metrics(settings.worker_metrics)
    client = await _until("temporal", lambda: _connected(runtime), stopped)
    if not migrated or client is None:
        return
    sessions = make_sessions(engine)
    limits = settings.limits
    terms = OrderTimeouts.model_validate({name: getattr(settings, name) for name in OrderTimeouts.model_fields})
    sources = Sources()
    packaging = packaging_worker(
        client, sessions, sources=sources, verify=settings.verify, delivery_targets=delivery_targets(settings)
    )
    async with orders_worker(client, sessions, limits, terms, sources=sources), packaging:
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


async def _is_migrated(engine: AsyncEngine) -> bool | None:
    try:
        async with engine.connect() as connection:
            there = (await connection.execute(text("SELECT to_regclass('orders') IS NOT NULL"))).scalar_one()
    except (DBAPIError, OSError):
        return None
    return there or None


async def _connected(runtime: Runtime | None) -> Client | None:
    """A client whose Temporal serves our namespace; search attributes and the schedule are ensured on the way."""
    try:
        async with asyncio.timeout(5):
            client = await temporal_client(lazy=False, runtime=runtime)
            await _register(client)
            await ensure_schedule(client)
    except (RPCError, RuntimeError, TimeoutError) as error:
        log.debug("temporal not there yet", error=str(error))
        return None
    return client


async def _register(client: Client) -> None:
    """Without the search attributes no order starts; where we may not add them, an engineer has to."""
    try:
        if added := await register(client):
            log.info("search attributes added", names=added)
    except MayNotRegister as error:
        log.warning("search attributes not looked at", names=[key.name for key in ALL], error=str(error))
