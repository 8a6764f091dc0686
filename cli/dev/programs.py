"""The programs of the dev stack, as the supervisor runs them."""

import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio

from cli.dev.binaries import dying_with_parent
from cli.dev.ports import LOOPBACK
from cli.dev.postgres import EmbeddedPostgres
from cli.dev.supervisor import Service
from cli.dev.temporal import TemporalDev

# Worker and API stop before what they need.
_PROGRAMS, _FOUNDATIONS = 0, 1


def postgres(server: EmbeddedPostgres) -> Service:
    """PostgreSQL, prepared; SIGINT has it roll back and close at once instead of waiting for its clients."""

    async def ready() -> bool:
        return server.is_ready()

    return Service("postgres", server.command(), ready, stop_signal=signal.SIGINT, wave=_FOUNDATIONS)


def temporal(settings: TemporalDev, *, port: int, ui_port: int, folder: Path) -> Service:
    """Temporal; run inside its folder, for SQLite paths must be short and free of `?` and `#`."""

    async def ready() -> bool:
        return await _listens(port)

    command = settings.command(port=port, ui_port=ui_port)
    return Service("temporal", command, ready, folder=folder, wave=_FOUNDATIONS)


def program(name: str, environment: Mapping[str, str], ready: Callable[[], Awaitable[bool]]) -> Service:
    """One of our own long-running commands: `worker` or `api`."""
    command = [*dying_with_parent("TERM"), sys.executable, "-m", "cli.main", name]
    return Service(name, command, ready, {"PYTHONUNBUFFERED": "1", **environment}, wave=_PROGRAMS)


async def _listens(port: int) -> bool:
    try:
        stream = await anyio.connect_tcp(LOOPBACK, port)
    except OSError:
        return False
    await stream.aclose()
    return True
