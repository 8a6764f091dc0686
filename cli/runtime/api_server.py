"""The API process put together: what the facade works with."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import structlog
import uvicorn

from api.dependencies import Services
from api.http.limiting import Ceiling, RequestRate
from api.http.protocol import server_config
from api.identity.oidc import open_oidc
from api.operations.routes import metrics_app
from api.operations.state import Operations
from cli.errors import CommandFailed
from cli.runtime import gc
from cli.runtime.client_factory import temporal_client
from cli.runtime.delivery_targets import delivery_targets
from cli.runtime.oidc import oidc_config
from cli.runtime.safety import cursor_key
from cli.runtime.settings import Settings
from database.engine import make_engine, make_sessions
from database.readiness import check
from migrations.head import head
from models.errors import TooManyDownloads, TooManyExports, TooManyStreams
from models.links import LinkKeys
from storage.pool import StoragePool
from storage.sources.registry import Sources

log = structlog.get_logger()

READ_AHEAD_THREADS = 32
"""Downloads that read at the same moment, at most half of them from one storage; others wait their turn, by blocks."""

CHECK_THREADS = 16
"""Orders, estimates and carts whose files are looked for at the same moment."""

SWITCH_INTERVAL = 0.001
"""Seconds after which a thread that computes lets the event loop go on; Python's own five times as many are waited for
at each step of a request."""

PROBE_THREADS = 8
"""Destinations that are tested at the same moment; of one server's, half of them, and no more may wait."""


def tell_of_database(settings: Settings) -> None:
    """Log what stands against the database; the API starts all the same, and says 503 until that is mended.

    Raises CommandFailed where a server is too old, which only another one mends.
    """
    unready = asyncio.run(check(settings.database_url, head()))
    if unready is None:
        return
    if unready.code == "too_old":
        raise CommandFailed(str(unready))
    log.warning("database not ready", reason=unready.reason, remedy=unready.remedy)


@asynccontextmanager
async def open_services(
    settings: Settings, operations: Operations, metrics: socket.socket | None = None
) -> AsyncIterator[Services]:
    """What the facade works with, for as long as it runs; `metrics` is where its metrics are offered meanwhile."""
    engine = make_engine(settings.database_url, answering=True)
    readers = StoragePool("downloads", READ_AHEAD_THREADS, patience=settings.storage_timeout.total_seconds())
    checks, probes = StoragePool("checks", CHECK_THREADS), StoragePool("probes", PROBE_THREADS, room=PROBE_THREADS // 2)
    operations.metrics.pools += [readers, checks, probes]
    try:
        secrets = tuple(secret.get_secret_value() for secret in settings.payment_webhook_secrets)
        keys = LinkKeys([key.get_secret_value() for key in settings.link_keys])
        client = await temporal_client(lazy=True)
        async with (
            open_oidc(oidc_config(settings)) as identity,
            operations.running(settings.database_url, client),
        ):
            gc.tune_gc()
            sys.setswitchinterval(SWITCH_INTERVAL)
            services = Services(
                make_sessions(engine),
                client,
                settings.api_url,
                readers,
                secrets,
                sources=Sources(),
                checks=checks,
                probes=probes,
                delivery_targets=delivery_targets(settings),
                cursor_key=cursor_key(settings),
                link_keys=keys,
                stalled_after=settings.stalled_after.total_seconds(),
                identity=identity,
                operations=operations,
                cors=settings.cors,
                shop=settings.shop,
                rate=RequestRate(settings.max_requests_per_second, settings.request_burst),
                downloads=Ceiling(TooManyDownloads, settings.max_parallel_downloads, settings.max_process_downloads),
                exports=Ceiling(TooManyExports, settings.max_parallel_exports, settings.max_process_exports),
                streams=Ceiling(TooManyStreams, settings.max_parallel_streams, settings.max_process_streams),
            )
            async with _metrics_served(metrics, services):
                yield services
    finally:
        await engine.dispose()


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A socket that listens there. Raises CommandFailed, which names the variable that says so."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise CommandFailed(f"{variable}: cannot listen on {host}, port {port}: {error.strerror or error}") from None


@asynccontextmanager
async def _metrics_served(listener: socket.socket | None, services: Services) -> AsyncIterator[None]:
    """Serve the metrics beside the facade, in its process, for they are that process's."""
    if listener is None:
        yield
        return
    server = _SideServer(server_config(metrics_app(services), log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _SideServer(uvicorn.Server):
    """A server of which the process has another one that hears its signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the other."""
        yield


class DrainingServer(uvicorn.Server):
    """Drains at the first signal; stops when nothing is under way, when the time is up, or at the second signal."""

    def __init__(self, config: uvicorn.Config, operations: Operations, settings: Settings) -> None:
        super().__init__(config)
        self._operations = operations
        self._notice = settings.drain_notice.total_seconds()
        self._patience = settings.drain_timeout.total_seconds()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: drain; once more: stop now."""
        if self._loop is None or self._operations.draining.started:
            super().handle_exit(sig, frame)
            return
        self._operations.drain()
        self._loop.call_soon_threadsafe(self._begin, sig)

    def _begin(self, sig: int) -> None:
        self._draining = asyncio.create_task(self._drain(sig))

    async def _drain(self, sig: int) -> None:
        log.info("draining", under_way=self._operations.draining.requests, at_most=self._patience)
        # Load balancers need a moment to see that /readyz says no; until then requests still come here.
        await asyncio.sleep(self._notice)
        idle = await self._operations.draining.wait(self._patience)
        log.info("drained" if idle else "drain timed out", under_way=self._operations.draining.requests)
        super().handle_exit(sig, None)
