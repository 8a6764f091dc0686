"""Connections that notice a PostgreSQL that no longer answers, be it frozen or behind a network that swallows all."""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any, ClassVar, Self

from psycopg import AsyncConnection, Error, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.waiting import Wait

PROBE_AFTER = 0.7
"""Seconds without an answer after which the server is asked whether it is there at all."""

PROBE_TIMEOUT = 0.9
"""Seconds it then has to take a new connection."""

AT_MOST = 30.0
"""Seconds the facade waits for any one answer, however alive the server is."""


class AnsweringConnection(AsyncConnection[Any]):
    """A connection whose waits end. A slow statement may take its time as long as the server takes new connections.

    No timeout of the server's helps here: a frozen one keeps none. And a cancelled wait would wait for the cancel.
    """

    # One question at a time for each server, however many connections are in doubt.
    _asking: ClassVar[dict[tuple[bytes, bytes], asyncio.Task[bool]]] = {}
    _how: tuple[str, dict[str, Any]] = ("", {})

    @classmethod
    async def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """Connect within PROBE_TIMEOUT. Raises OperationalError."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT):
                made = await super().connect(conninfo, **options)
        except TimeoutError:
            raise OperationalError(f"PostgreSQL has taken no connection within {PROBE_TIMEOUT} s") from None
        made._how = conninfo, options
        return made

    async def wait(self, gen: PQGen[RV], *more: Any, **options: Any) -> RV:
        """Wait for the server, with doubts. Raises OperationalError when it is not there."""
        try:
            first = next(gen)
        except StopIteration as there:
            # Rows of a COPY come many at a time, and only the first of them has to be waited for.
            found: RV = there.value
            return found
        doubting: list[asyncio.Task[None]] = []
        loop = asyncio.get_running_loop()
        timer = loop.call_later(PROBE_AFTER, lambda: doubting.append(loop.create_task(self._doubt())))
        try:
            return await super().wait(_going_on(first, gen), *more, **options)
        finally:
            timer.cancel()
            for task in doubting:
                task.cancel()

    async def _doubt(self) -> None:
        """Cut the connection as soon as the server takes no new one; libpq tells those that wait."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + AT_MOST
        while loop.time() < deadline and await self._is_there():  # noqa: ASYNC110 - there is nothing to be told by
            await asyncio.sleep(PROBE_AFTER)
        # Shut down, not closed: those that wait on the socket wake, and its number is not given away meanwhile.
        with suppress(OSError), socket.socket(fileno=os.dup(self.pgconn.socket)) as wire:
            wire.shutdown(socket.SHUT_RDWR)

    async def _is_there(self) -> bool:
        key = (self.pgconn.host, self.pgconn.port)
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(_answers(*self._how))
            self._asking[key].add_done_callback(lambda _: self._asking.pop(key))
        return await asyncio.shield(self._asking[key])


def _going_on(first: Wait, gen: PQGen[RV]) -> PQGen[RV]:
    """A conversation with the server that has already said what it waits for first."""
    wish = first
    while True:
        ready = yield wish
        try:
            wish = gen.send(ready)
        except StopIteration as done:
            found: RV = done.value
            return found


async def _answers(conninfo: str, options: dict[str, Any]) -> bool:
    """Whether the server takes a new connection, or at least says why it does not."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            probe = await AsyncConnection.connect(conninfo, **options)
    except (Error, OSError, TimeoutError) as error:
        # Every refusal by a server that is there, such as `too many clients`, names its severity.
        return "FATAL" in str(error)
    probe.pgconn.finish()
    return True
