"""Work that waits for storages: its turn, its signs of life, and its end where nothing moves any more.

Temporal hears of work only while it moves. What has not moved for as long as its pool has patience fails, so that the
worker's slot is free for others, and its thread is given up.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities.blockers import clear_blocker, note_waiting
from models.errors import Failure, FailureCode
from models.labels import counted
from storage.bulkheads import Bulkhead
from storage.pool import PATIENCE, Call, Place, StoragePool

TELL_EVERY: Final = 0.5
"""Seconds between two signs of life, and until a pause or a cancel is heard."""

_LONGER_WITH_DESTINATIONS: Final = 10

_NOTED_AFTER: Final = 1 / 6
"""The part of a pool's patience after which an order says that it waits for its turn: 5 of 30 s."""

SLOTS: Final = 64
"""Sub-orders that a worker has in hand at once to read, and as many to deliver; one storage's are at most half of them,
one destination's a quarter."""

LOOKS: Final = 100
"""Short activities that a worker has in hand at once, looks at files among them; the SDK's own default."""

Result = TypeVar("Result")
Tick = Callable[[], Awaitable[None]]


Waited = Bulkhead | Callable[[], Bulkhead]
"""What work waits for, or says what it waits for just now."""


class WorkerPools:
    """The pools of one worker: what hangs in one keeps nobody from the others.

    Four sub-orders of one storage are read at once, as two cores hash two while the others wait for disks.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.looking = StoragePool("looking", 8, room=LOOKS // 2, patience=patience)
        self.staging = StoragePool("staging", 8, room=SLOTS // 2, patience=patience)
        self.delivering = StoragePool("delivering", 8, room=SLOTS // 4, patience=patience)

    def __iter__(self) -> Iterator[StoragePool]:
        return iter((self.looking, self.staging, self.delivering))


class StorageWork:
    """Runs the work of an activity in a pool of threads that many share."""

    def __init__(self, pool: StoragePool, sessions: async_sessionmaker[AsyncSession]) -> None:
        self.pool, self._sessions = pool, sessions
        self._tell_every = min(TELL_EVERY, pool.patience / 4)

    @asynccontextmanager
    async def turn(self, message: object, *bulkheads: Bulkhead) -> AsyncIterator[Place]:
        """Wait for a place at these bulkheads, and leave it with the block; a wait that lasts is shown by the order.

        Raises Failed: `source_busy` where too many wait already, or what an unresponsive bulkhead means.
        """
        place = self.pool.ask(*bulkheads)
        try:
            await self._granted(place, message)
            yield place
        finally:
            place.leave()

    async def attend(self, call: Call[Result], tick: Tick, waits_for: Waited) -> Result:
        """Wait for a call that moves, with a tick now and then. Raises Failed where it has not moved for too long."""
        waiting = asyncio.wrap_future(call)
        # Looked at also where nobody waits any more, or asyncio would log it.
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
        while not waiting.done():
            await asyncio.wait({waiting}, timeout=self._tell_every)
            await tick()
            bulkhead = waits_for if isinstance(waits_for, Bulkhead) else waits_for()
            if not waiting.done() and call.place.quiet > (longest := self._patience_with(bulkhead)):
                raise bulkhead.unavailable(f"has not answered for {longest:g} s")
        return await waiting

    async def stopped(self, call: Call[Result], tick: Tick, waits_for: Waited) -> None:
        """Wait until a call that was told to stop has done so, for as long as it moves."""
        with suppress(Exception):
            await self.attend(call, tick, waits_for)

    def _patience_with(self, bulkhead: Bulkhead) -> float:
        """A destination may have to take gigabytes at once, as when they are synced; a storage gives what it has."""
        longer = 1 if bulkhead.code is FailureCode.SOURCE_UNAVAILABLE else _LONGER_WITH_DESTINATIONS
        return self.pool.patience * longer

    async def _granted(self, place: Place, message: object) -> None:
        granted, noted = asyncio.wrap_future(place.granted), False
        while not granted.done():
            await asyncio.wait({granted}, timeout=self._tell_every)
            if granted.done():
                break
            activity.heartbeat(f"waits for its turn at {place.bulkheads[0].name}")
            if place.quiet > self.pool.patience:
                raise place.bulkheads[0].unavailable()
            if not noted and place.waited > self.pool.patience * _NOTED_AFTER:
                noted = True
                await note_waiting(self._sessions, message, self._why(place))
        if noted:
            await clear_blocker(self._sessions, message)

    def _why(self, place: Place) -> Failure:
        """Why a place is waited for: its storage is busy, or it does not answer."""
        (bulkhead, *_), held = place.bulkheads, self.pool.held()
        ahead = held[bulkhead].running + held[bulkhead].given_up
        if place.quiet > self.pool.patience * _NOTED_AFTER:
            text = f"{bulkhead.name} does not answer, and {counted(ahead, 'other')} wait for it as well"
            return Failure(code=bulkhead.code, text=text)
        return Failure(code=FailureCode.SOURCE_BUSY, text=f"{bulkhead.name} is busy with {counted(ahead, 'other')}")
