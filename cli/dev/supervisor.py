"""Children under one task group: started when told, watched, all stopped when one dies or the person says so."""

import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import Process, TaskGroup

from cli.errors import CommandFailed

_POLL = 0.03
_TAIL_LINES = 20


@dataclass(frozen=True)
class Service:
    """A program to be kept running; its command carries its own `setpriv --pdeathsig`, some inside a wrapper."""

    name: str
    command: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    # What others need stops after them: first all of wave 0, then all of wave 1.
    wave: int = 0


class ServiceDied(CommandFailed):
    """A child ended by itself, or never became ready."""


class Supervisor:
    """The running children."""

    def __init__(self, group: TaskGroup, logs: Path, stop_timeout: float = 8) -> None:
        self._group = group
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._stop_timeout = stop_timeout
        self._running: dict[str, tuple[Service, Process]] = {}
        self._stopping = False

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name."""
        return {name: process.pid for name, (_, process) in self._running.items()}

    async def start(self, service: Service, patience: float = 60) -> float:
        """Spawn the child, return the seconds until it was ready."""
        began = time.monotonic()
        await self.spawn(service)
        await self.wait_ready(service, patience)
        return time.monotonic() - began

    async def spawn(self, service: Service) -> None:
        """Spawn the child and watch it. To be called in the main thread: the kernel ends the child with it."""
        with _fresh_log(self.log_of(service.name)).open("wb") as log:
            process = await anyio.open_process(
                list(service.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=service.folder,
                env={**os.environ, **service.environment},
                start_new_session=True,
            )
        self._running[service.name] = (service, process)
        self._group.start_soon(self._watch, service, process)

    async def wait_ready(self, service: Service, patience: float = 60) -> None:
        """Return as soon as the child's probe says so."""
        with anyio.move_on_after(patience):
            while True:
                if await service.ready():
                    return
                await anyio.sleep(_POLL)
        raise ServiceDied(f"{service.name} was not ready after {patience:.0f} s", *self._tail(service.name))

    async def stop(self) -> None:
        """Stop everything, wave by wave."""
        self._stopping = True
        for wave in sorted({service.wave for service, _ in self._running.values()}):
            async with anyio.create_task_group() as group:
                for service, process in self._running.values():
                    if service.wave == wave:
                        group.start_soon(self._stop, service, process)

    def kill(self) -> None:
        """End everything now."""
        self._stopping = True
        for _, process in self._running.values():
            if process.returncode is None:
                _signal_group(process, signal.SIGKILL)

    def log_of(self, name: str) -> Path:
        """Where a child's output goes."""
        return self._logs / f"{name}.log"

    async def _stop(self, service: Service, process: Process) -> None:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(service.stop_signal)
            with anyio.move_on_after(self._stop_timeout):
                await process.wait()
        # Also after a clean end: what the child itself had started goes with it.
        _signal_group(process, signal.SIGKILL)
        await process.wait()

    async def _watch(self, service: Service, process: Process) -> None:
        code = await process.wait()
        if not self._stopping:
            raise ServiceDied(f"{service.name} {_how_it_ended(code)}", *self._tail(service.name))

    def _tail(self, name: str) -> list[str]:
        log = self.log_of(name)
        lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return [f"the end of {log}:", *(f"  {line}" for line in lines)] if lines else [f"{log} is empty"]


@asynccontextmanager
async def supervised(logs: Path, stop_timeout: float = 8) -> AsyncIterator[Supervisor]:
    """A supervisor whose children are all gone when the block is left, however it is left."""
    try:
        async with anyio.create_task_group() as group:
            supervisor = Supervisor(group, logs, stop_timeout)
            try:
                yield supervisor
            finally:
                with anyio.CancelScope(shield=True):
                    await supervisor.stop()
                group.cancel_scope.cancel()
    except BaseExceptionGroup as several:
        raise first_cause(several) from several


def first_cause(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one thing to tell a person: the service that died, else the first error."""
    died = several.subgroup(ServiceDied)
    error: BaseException = died or several
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _fresh_log(log: Path) -> Path:
    """The log file's path, its former contents kept once as `.old`."""
    if log.exists():
        log.replace(log.with_suffix(".log.old"))
    return log


def _signal_group(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _how_it_ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
