"""The parts of one dev stack and how they start: side by side, for half of the time is imports."""

import json
import os
from importlib import import_module
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from cli.dev import programs, temporal
from cli.dev.data import DataFolder
from cli.dev.endpoints import Endpoints
from cli.dev.postgres import EmbeddedPostgres
from cli.dev.report import Report
from cli.dev.supervisor import Supervisor
from cli.runtime.loading import from_environment
from cli.runtime.running_stack import RunningStack
from models.messages import ORDERS_QUEUE

if TYPE_CHECKING:
    from temporalio.client import Client

_PATIENCE = 60.0


class Stack:
    """PostgreSQL, Temporal, worker and API on one data folder."""

    def __init__(
        self,
        folder: DataFolder,
        endpoints: Endpoints,
        report: Report,
        supervisor: Supervisor,
        postgres: EmbeddedPostgres | None,
    ) -> None:
        self._folder = folder
        self._endpoints = endpoints
        self._report = report
        self._supervisor = supervisor
        self._settings = temporal.temporal_dev()
        self._postgres = postgres
        self._client: Client | None = None
        self._connected = anyio.Event()

    @property
    def database_url(self) -> str:
        """Ours, or the one in the environment."""
        return self._postgres.url() if self._postgres else self._endpoints.outside_database or ""

    async def start(self) -> RunningStack:
        """Start everything; return when all of it is ready and dev.json says so."""
        async with anyio.create_task_group() as group:
            for part in (self._api, self._worker, self._temporal, self._database):
                group.start_soon(part)
        running = RunningStack(
            api=self._endpoints.api,
            public_url=from_environment().public_url,
            temporal_ui=self._endpoints.temporal_ui,
            temporal_address=self._endpoints.temporal_address,
            temporal_namespace=self._endpoints.namespace,
            database_url=self.database_url,
            pids={"supervisor": os.getpid(), **self._supervisor.pids},
        )
        self._folder.announce(running)
        return running

    async def _database(self) -> None:
        async with anyio.create_task_group() as group:
            # Alembic and the tables take as long to import as the server to start.
            group.start_soon(to_thread.run_sync, _import, "models.tables", "migrations.run")
            group.start_soon(self._start_postgres)
        with self._report.step("Database migrated"):
            await to_thread.run_sync(_migrate, self.database_url)
        await _adopt(self.database_url)
        with self._report.step("Sample catalogue"):
            await _load_sample(self.database_url, self._folder)

    async def _start_postgres(self) -> None:
        if self._postgres:
            with self._report.step("PostgreSQL"):
                await to_thread.run_sync(self._postgres.prepare)
                await self._supervisor.start(programs.postgres(self._postgres))
                await to_thread.run_sync(self._postgres.ensure_database)

    async def _temporal(self) -> None:
        if self._endpoints.outside_temporal:
            await self._connect()
            return
        with self._report.step("Temporal"):
            port, ui_port = self._endpoints.temporal_port, self._endpoints.ui_port
            service = programs.temporal(self._settings, port=port, ui_port=ui_port, folder=self._folder.temporal)
            await self._supervisor.spawn(service)
            await temporal.ensure(await self._connect(), self._settings)

    async def _connect(self) -> "Client":
        # Half a second of imports, in a thread so that the other starts go on.
        await to_thread.run_sync(import_module, "temporal.converter")
        with anyio.fail_after(_PATIENCE):
            client = await temporal.connect(self._endpoints.temporal_address, self._endpoints.namespace)
        self._client = client
        self._connected.set()
        return client

    async def _worker(self) -> None:
        async def ready() -> bool:
            await self._connected.wait()
            return self._client is not None and await temporal.has_pollers(self._client, ORDERS_QUEUE)

        with self._report.step("Worker"):
            await self._supervisor.start(programs.program("worker", self._environment, ready))

    async def _api(self) -> None:
        with self._report.step("API"):
            service = programs.program("api", self._environment, lambda: is_healthy(self._endpoints.api))
            await self._supervisor.spawn(service)
            await to_thread.run_sync(import_module, "httpx2")
            await self._supervisor.wait_ready(service)

    @property
    def _environment(self) -> dict[str, str]:
        """What worker and API need to know; whatever else is set in our environment they get as it is."""
        return {
            "DATABASE_URL": self.database_url,
            # The address that the file names has been read; or the database is ours.
            "DATABASE_URL_FILE": "",
            "TEMPORAL_ADDRESS": self._endpoints.temporal_address,
            "TEMPORAL_NAMESPACE": self._endpoints.namespace,
            "CONSIGNOR_DATA": str(self._folder.path),
            "CONSIGNOR_HOST": self._endpoints.api_host,
            "CONSIGNOR_PORT": str(self._endpoints.api_port),
            **own_settings(self._folder),
            # Everybody here is somebody of ours: the built-in issuer takes the place of any other.
            "CONSIGNOR_DEV_ISSUER": "true",
            # Ctrl-C should not have to wait for a download; the supervisor would not either.
            "CONSIGNOR_DRAIN_TIMEOUT": os.environ.get("CONSIGNOR_DRAIN_TIMEOUT", "PT2S"),
        }


def own_settings(folder: DataFolder) -> dict[str, str]:
    """Secrets, and a folder for deliveries, where the environment has none: all of them in the data folder."""
    from storage.vault import key_in

    given, settings = from_environment().model_fields_set, {}
    if "link_keys" not in given:
        settings["CONSIGNOR_LINK_KEYS"] = json.dumps([folder.link_key()])
    if "cursor_secret" not in given:
        settings["CONSIGNOR_CURSOR_SECRET"] = folder.cursor_secret()
    if "delivery_keys" not in given:
        settings["CONSIGNOR_DELIVERY_KEYS"] = json.dumps([key_in(folder.path / "secrets" / "delivery.key")])
    if "delivery_roots" not in given:
        root = folder.path / "delivery"
        root.mkdir(exist_ok=True)
        settings["CONSIGNOR_DELIVERY_ROOTS"] = json.dumps([str(root)])
        # Everybody here is somebody of ours.
        settings["CONSIGNOR_DELIVERY_SHARED_ROOTS"] = "true"
    return settings


def _import(*modules: str) -> None:
    for module in modules:
        import_module(module)


def _migrate(url: str) -> None:
    from migrations.run import upgrade

    upgrade(url)


async def _adopt(url: str) -> None:
    adopting = await to_thread.run_sync(import_module, "cli.dev.migrate_local")
    await adopting.adopt_local_orders(url)


async def _load_sample(url: str, folder: DataFolder) -> None:
    sample = await to_thread.run_sync(import_module, "cli.dev.sample")
    await sample.load_sample_if_empty(url, folder.path)


async def is_healthy(api: str) -> bool:
    """Whether the API serves."""
    import httpx2

    try:
        async with httpx2.AsyncClient(base_url=api, timeout=5) as client:
            return (await client.get("/healthz")).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False
