"""One run of `consignor dev`, from the command line to the last line it prints."""

import gc
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
from rich.console import Console
from rich.markup import escape

from cli.dev import endpoints, temporal
from cli.dev.binaries import temporal_binary
from cli.dev.data import DataFolder
from cli.dev.endpoints import Endpoints
from cli.dev.first_order import FirstOrder, has_orders, place
from cli.dev.ports import LOOPBACK
from cli.dev.postgres import EmbeddedPostgres
from cli.dev.report import Report
from cli.dev.stack import Stack
from cli.dev.supervisor import Supervisor, first_cause, supervised
from cli.runtime.running_stack import DEFAULT_DATA, RunningStack

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    """What the person asked for."""

    data: Path
    host: str = LOOPBACK
    port: int | None = None
    fresh: bool = False
    once: bool = False

    @property
    def starting_over(self) -> str:
        """The arguments of `make dev` by which the same starts over; the folder goes before the command."""
        host = () if self.host == LOOPBACK else ("--host", self.host)
        port = () if self.port is None else ("--port", str(self.port))
        return "ARGS=" + shlex.quote(" ".join(("--fresh", *host, *port)))


def run(options: Options) -> int:
    """Run until stopped (0) or until the one order is done (0 or 1); raise CommandFailed when a part breaks."""
    # Catalogue, orders, tokens in Temporal's file, logs: what the stack and its children write is their user's alone.
    os.umask(0o077)
    folder = DataFolder(options.data)
    with folder.lock(fresh=options.fresh):
        where = endpoints.choose(options.host, options.port, temporal.temporal_dev())
        try:
            return anyio.run(_Run(options, folder, where).run)
        except BaseExceptionGroup as several:
            raise first_cause(several) from several
        finally:
            # One process in ten crashed at exit when the Temporal client outlived the loop.
            gc.collect()


class _Run:
    def __init__(self, options: Options, folder: DataFolder, where: Endpoints) -> None:
        self._options = options
        self._folder = folder
        self._endpoints = where
        self._report = Report(Console())
        self._supervisor: Supervisor | None = None

    async def run(self) -> int:
        code = 0
        async with anyio.create_task_group() as group:
            # Open to the very end: signals while stopping must not tear the stopping apart.
            with anyio.open_signal_receiver(*_STOPPING) as signals, anyio.CancelScope() as work:
                group.start_soon(self._listen, signals, work)
                code = await self._work()
            group.cancel_scope.cancel()
        self._report.say("Stopped.")
        return code

    async def _listen(self, signals: AsyncIterator[signal.Signals], work: anyio.CancelScope) -> None:
        async for _ in signals:
            if not work.cancel_called:
                self._report.say("Stopping; once more kills the processes …")
                work.cancel()
            elif self._supervisor:
                self._supervisor.kill()

    async def _work(self) -> int:
        self._greet()
        postgres = None if self._endpoints.outside_database else EmbeddedPostgres(self._folder.path)
        with ExitStack() as afterwards:
            if postgres:
                # Only when it has stopped is its folder anybody else's to take.
                afterwards.callback(postgres.release)
            async with supervised(self._folder.logs) as self._supervisor:
                stack = Stack(self._folder, self._endpoints, self._report, self._supervisor, postgres)
                return await self._serve(stack)

    async def _serve(self, stack: Stack) -> int:
        with self._report.live():
            running = await stack.start()
            order = await self._first_order(running)
        if self._options.once:
            return 0 if order and order.succeeded else 1
        self._invite(running)
        await anyio.sleep_forever()
        return 0

    async def _first_order(self, running: RunningStack) -> FirstOrder | None:
        import httpx2

        from cli.dev.issuer.keys import bearer_token

        token = bearer_token(self._folder, running.api)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=running.api, timeout=30, headers=headers) as api:
            if not self._options.once and await has_orders(api):
                return None
            with self._report.step("First order"):
                order = await place(api)
        self._report.say(f"Order {order.number}: {order.status} after {order.seconds:.2f} s  {order.url}")
        return order

    def _greet(self) -> None:
        self._report.say(f"Consignor starts on {escape(str(self._folder.path))}")
        if self._options.port is None and self._endpoints.api_port != endpoints.API_PORT:
            self._report.say(f"Port {endpoints.API_PORT} is in use: the API takes {self._endpoints.api_port}.")
        if self._endpoints.outside_database:
            self._report.say("DATABASE_URL is set: that database is used, and no PostgreSQL is started.")
        if outside := self._endpoints.outside_temporal:
            self._report.say(
                f"TEMPORAL_ADDRESS is set: the Temporal at {escape(outside)} is used, namespace"
                f" {escape(self._endpoints.namespace)}, and none is started."
            )
        elif os.environ.get("TEMPORAL_NAMESPACE"):
            self._report.say("TEMPORAL_NAMESPACE is ignored: without TEMPORAL_ADDRESS the dev stack starts its own.")

    def _invite(self, running: RunningStack) -> None:
        self._report.say(f"Ready after {self._report.seconds:.1f} s")
        api = running.public_url or running.api
        at = {"API": api, "API documentation": f"{api}/docs", "Temporal UI": running.temporal_ui}
        self._report.table("Open", {name: place for name, place in at.items() if place})
        kept = {"Data": str(self._folder.path), "Logs": str(self._folder.logs)}
        self._report.table("Kept in", kept)
        elsewhere = self._folder.path != DEFAULT_DATA.resolve()
        where = f"CONSIGNOR_DATA={shlex.quote(str(self._folder.path))} " if elsewhere else ""
        consignor = where + _short(Path(sys.executable).with_name("consignor"))
        self._report.table(
            "Try",
            {
                "See what there is": f"{consignor} catalog list",
                "Order and download": f"{consignor} order place --product sample-scenes --wait --download downloads",
                "List the orders": f"{consignor} order list",
                "Over HTTP": f'curl {running.api}/api/v1/me -H "Authorization: Bearer $({consignor} token)"',
                "Be somebody else": f"CONSIGNOR_TOKEN=$({consignor} token --user admin) {consignor} order list",
                "Bring your own": f"{consignor} catalog import FOLDER",
                "Watch them in Temporal": f"{_short(temporal_binary())} workflow list -n {running.temporal_namespace}"
                f" --address {running.temporal_address} --query \"WorkflowType='order'\"",
                "Stop": "Ctrl-C; the next start finds everything again",
                "Start over": f"{where}make dev {self._options.starting_over}",
            },
        )


def _short(path: Path) -> str:
    """The path as it can be typed here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
