"""The long-running processes put together: what a worker and an API are made of."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from api.services import Services
from cli.settings import Settings, temporal_config
from models.database import make_engine, make_sessions
from models.splitting import Limits
from workflows.reconcile import ensure_schedule
from workflows.worker import orders_worker, packaging_worker

READ_AHEAD_THREADS = 16
"""Downloads that read from disk at the same moment; more of them wait their turn, a block at a time."""

_WAIT = 0.1

Found = TypeVar("Found")

log = structlog.get_logger()


def configure_logs(level: str) -> None:
    """One JSON line an event, or readable lines on a terminal."""
    shown = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=level.upper(), format="%(levelname)s %(name)s %(message)s")


async def temporal_client(*, lazy: bool) -> Client:
    """A client; a lazy one connects when it is first used, so that Temporal may come later, or come back."""
    return await Client.connect(**temporal_config(), data_converter=pydantic_data_converter, lazy=lazy)


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """What the facade works with, for as long as it runs."""
    engine = make_engine(settings.database_url)
    readers = ThreadPoolExecutor(READ_AHEAD_THREADS, thread_name_prefix="read")
    try:
        yield Services(make_sessions(engine), await temporal_client(lazy=True), settings.api_url, readers)
    finally:
        readers.shutdown(wait=False, cancel_futures=True)
        await engine.dispose()


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; waits for a database and a Temporal that are still coming up."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    engine = make_engine(settings.database_url)
    migrated = await _until("database", lambda: _is_migrated(engine), stopped)
    client = await _until("temporal", _connected, stopped)
    if not migrated or client is None:
        return
    sessions = make_sessions(engine)
    limits = Limits(max_files=settings.max_files_per_suborder, max_bytes=settings.max_bytes_per_suborder)
    async with orders_worker(client, sessions, limits), packaging_worker(client, sessions):
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


async def _connected() -> Client | None:
    """A client whose Temporal serves our namespace; the reconciler's schedule is ensured on the way."""
    try:
        async with asyncio.timeout(5):
            client = await temporal_client(lazy=False)
            await ensure_schedule(client)
    except (RPCError, RuntimeError, TimeoutError) as error:
        log.debug("temporal not there yet", error=str(error))
        return None
    return client
