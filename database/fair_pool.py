"""A pool of connections of which nobody holds more than half, however much they ask at a time.

Without it the hundreds of requests that one customer sends at once take every connection of the process, and whoever
stands by is refused.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_only

from models.errors import ServerBusy

_asker: ContextVar[str | None] = ContextVar("asker", default=None)
_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


@contextmanager
def asking_as(asker: str) -> Iterator[None]:
    """Count the connections of this task as somebody's until the block ends; `ask_as` may change whose meanwhile.

    Those of a task that asks as nobody, such as a look at the queues, are not counted.
    """
    before = _asker.set(asker)
    try:
        yield
    finally:
        _asker.reset(before)


def ask_as(asker: str) -> None:
    """Count the connections of this task as somebody's from now on."""
    _asker.set(asker)


@dataclass
class _Turns:
    """The connections that one asker may hold at a time."""

    asker: str
    free: asyncio.Semaphore
    users: int = 0
    """Connections that are held or waited for."""
    served: int = 0
    """Connections that came back in order: while it grows, the database is there, and there is merely much to do."""


class FairPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool, in which an asker waits for their own connections while they hold half of all."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._turns: dict[str, _Turns] = {}
        self._held: dict[ConnectionPoolEntry, _Turns] = {}

    @property
    def at_once(self) -> int:
        """How many connections one asker may hold."""
        return max(1, (self.size() + self._max_overflow) // 2)

    def _do_get(self) -> ConnectionPoolEntry:
        """A connection. Raises ServerBusy where others of the asker came and went, else TimeoutError of SQLAlchemy."""
        asker = _asker.get()
        # SQLAlchemy's own calls itself again when somebody else was quicker.
        if asker is None or _has_turn.get():
            return super()._do_get()
        turns = self._take(asker)
        mark = _has_turn.set(True)
        try:
            record = super()._do_get()
        except BaseException:
            self._give_back(turns)
            raise
        finally:
            _has_turn.reset(mark)
        self._held[record] = turns
        return record

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if (turns := self._held.pop(record, None)) is not None:
            # One without a connection could not be made, or broke.
            turns.served += record.dbapi_connection is not None
            self._give_back(turns)
        super()._do_return_conn(record)

    def _take(self, asker: str) -> _Turns:
        turns = self._turns.setdefault(asker, _Turns(asker, asyncio.Semaphore(self.at_once)))
        served = turns.served
        turns.users += 1
        try:
            # Without a task of its own where nobody waits, which is nearly always.
            free = turns.free.acquire()
            await_only(asyncio.wait_for(free, self._timeout) if turns.free.locked() else free)
        except BaseException as error:
            self._leave(turns)
            if not isinstance(error, TimeoutError):
                raise
            if turns.served > served:
                raise ServerBusy("requests of yours") from None
            raise PoolTimeoutError(f"one asker holds {self.at_once} connections, and none comes back") from None
        return turns

    def _give_back(self, turns: _Turns) -> None:
        turns.free.release()
        self._leave(turns)

    def _leave(self, turns: _Turns) -> None:
        turns.users -= 1
        if not turns.users:
            self._turns.pop(turns.asker, None)
