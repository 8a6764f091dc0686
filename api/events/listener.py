"""The one connection of a process that receives change events: LISTEN, probes, and reconnecting after a loss."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from psycopg import AsyncConnection, Error
from pydantic import ValidationError

from api.events.change_event import CHANNEL, ChangeEvent
from api.events.hub import Hub
from database.readiness import dsn
from models.tasks import background_task

PROBE_EVERY = 5.0
"""Seconds of silence after which the server is probed."""

PROBE_TIMEOUT = 3.0
"""Seconds it has for the answer, and for a new connection."""

APPLICATION = "consignor events {pid}"
"""How `pg_stat_activity` names the connection; the pid tells the processes apart."""

RECONNECT_AFTER = 0.5
"""Seconds between two attempts to connect."""

log = structlog.get_logger()


@asynccontextmanager
async def listening(database_url: str, hub: Hub) -> AsyncIterator[None]:
    """Feed the hub as long as the block lasts, whatever becomes of the database meanwhile."""
    async with background_task(_keep_listening(database_url, hub)):
        yield


async def _keep_listening(database_url: str, hub: Hub) -> None:
    while True:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT):
                connection = await AsyncConnection.connect(
                    dsn(database_url), autocommit=True, application_name=APPLICATION.format(pid=os.getpid())
                )
        except (Error, OSError, TimeoutError):
            await asyncio.sleep(RECONNECT_AFTER)
            continue
        try:
            await _listen(connection, hub)
        except (Error, OSError, TimeoutError) as error:
            log.warning("live events interrupted", error=type(error).__name__)
        finally:
            # Not `close()`: it says goodbye, for which an unresponsive server has no time.
            connection.pgconn.finish()


async def _listen(connection: AsyncConnection, hub: Hub) -> None:
    """Receive until the connection is lost. Raises psycopg's Error or TimeoutError."""
    async with asyncio.timeout(PROBE_TIMEOUT):
        await connection.execute(f"LISTEN {CHANNEL}")
    # Only now: what changed in between, clients see when they load again after this.
    hub.reset()
    log.info("live events connected")
    while True:
        async for notification in connection.notifies(timeout=PROBE_EVERY):
            try:
                hub.publish(ChangeEvent.model_validate_json(notification.payload))
            except ValidationError:
                log.warning("a notification that is no change event", channel=CHANNEL)
        async with asyncio.timeout(PROBE_TIMEOUT):
            await connection.execute("SELECT 1")
