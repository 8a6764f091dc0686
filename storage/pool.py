"""Pools of threads that wait for storages and destinations, of which one bulkhead holds at most half.

A thread in a read that never returns cannot be ended. It is given up: its place in the pool is free again, and the
bulkhead that it hangs in has one thread less until it returns. So whatever hangs holds at most half of one pool, and
once all of that has been given up, what asks for more of it is told so at once.
"""

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, Generic, NamedTuple, TypeVar

import structlog

from models.errors import Failed, FailureCode
from storage.bulkheads import Bulkhead

PATIENCE: Final = 30.0
"""Seconds without a byte, or whatever else shows that work moves, after which it is given up."""

_HANGS_AFTER: Final = 2.0
"""Seconds after which a read that nobody waits for any more is taken to hang; most only end a little later."""

_IDLE: Final = 10.0

Result = TypeVar("Result")

log = structlog.get_logger()


class Held(NamedTuple):
    """What a bulkhead has of a pool: threads that somebody waits for, those given up, and what waits for a thread."""

    running: int = 0
    given_up: int = 0
    waiting: int = 0


class Place:
    """A place in a pool, for one bulkhead or for several at once: first waited for, then held, then left."""

    __slots__ = ("_asked_at", "_moved_at", "_pool", "bulkheads", "call", "granted")

    def __init__(self, pool: "StoragePool", bulkheads: tuple[Bulkhead, ...]) -> None:
        self._pool, self.bulkheads = pool, bulkheads
        self.granted: Future[None] = Future()
        """Done as soon as the place is held."""
        self.granted.set_running_or_notify_cancel()
        self.call: Call[Any] | None = None
        """What runs here, or will as soon as the place is held."""
        self._asked_at = self._moved_at = time.monotonic()

    def start(self, function: Callable[[], Result]) -> "Call[Result]":
        """Run a function in a thread; the place must be held, and nothing else run in it."""
        self.call = call = Call(self, function)
        call.set_running_or_notify_cancel()
        self._pool.run(call)
        return call

    def moved(self) -> None:
        """Note that the work here moves; in any thread."""
        self._moved_at = now = time.monotonic()
        self._pool.note_movement(self.bulkheads, now)

    @property
    def waited(self) -> float:
        """For how many seconds the place has been waited for."""
        return time.monotonic() - self._asked_at

    @property
    def quiet(self) -> float:
        """For how many seconds nothing has moved: of the work here, or of what a waiting place waits for."""
        now = time.monotonic()
        if self.granted.done():
            return now - self._moved_at
        ahead = self._pool.movements_ahead_of(self)
        return max((now - max(self._asked_at, at) for at in ahead), default=0.0)

    def leave(self) -> None:
        """Give the place back; a thread that still runs in it is given up. Leaving twice is fine."""
        self._pool.leave(self)


class Call(Future[Result], Generic[Result]):
    """The result of a function that runs in a place of a pool; `once`, the place is left as soon as it is over."""

    def __init__(self, place: Place, function: Callable[[], Result], *, once: bool = False) -> None:
        super().__init__()
        self.place, self.function, self.once = place, function, once


class Share:
    """The part of a pool that is there for some bulkheads."""

    __slots__ = ("_bulkheads", "_pool")

    def __init__(self, pool: "StoragePool", bulkheads: tuple[Bulkhead, ...]) -> None:
        self._pool, self._bulkheads = pool, bulkheads

    def submit(self, function: Callable[[], Result]) -> Call[Result]:
        """Run a function in a thread as soon as there is a place. Raises what `StoragePool.ask` raises."""
        return self._pool.submit(function, *self._bulkheads)

    async def answer(self, call: Call[Result], within: float | None = None) -> Result:
        """Wait for a call. Raises Failed where it has not answered in time; then, as when cancelled, it is given up."""
        try:
            async with asyncio.timeout(self._pool.patience if within is None else within) as limit:
                return await asyncio.wrap_future(call)
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._bulkheads[0].unavailable() from None
        finally:
            call.place.leave()

    async def call(self, function: Callable[[], Result], within: float | None = None) -> Result:
        """Run a function in a thread and wait for it. Raises Failed where it has not answered in time."""
        return await self.answer(self.submit(function), within)


class StoragePool:
    """So many threads for all, of which one bulkhead holds at most half.

    With `room`, one bulkhead holds and waits for no more than so many places. Any thread may call.
    """

    def __init__(self, name: str, threads: int, *, room: int | None = None, patience: float = PATIENCE) -> None:
        self.name, self.threads, self.share = name, threads, max(1, threads // 2)
        self.room, self.patience = room, patience
        self._lock = Lock()
        self._places: dict[Place, None] = {}
        self._taken = 0
        self._asked, self._held = Counter[Bulkhead](), Counter[Bulkhead]()
        self._given_up: defaultdict[Bulkhead, set[Place]] = defaultdict(set)
        self._moved: dict[Bulkhead, float] = {}
        self._waiting: dict[tuple[Bulkhead, ...], deque[Place]] = {}
        self._idle: list[SimpleQueue[Call[Any]]] = []

    def at(self, *bulkheads: Bulkhead) -> Share:
        """The part of the pool that is there for these bulkheads."""
        return Share(self, bulkheads)

    def ask(self, *bulkheads: Bulkhead) -> Place:
        """Ask for a place. Raises Failed where all that could be had hang, or where too many wait (`source_busy`)."""
        place = Place(self, bulkheads)
        self._ask(place)
        return place

    def submit(self, function: Callable[[], Result], *bulkheads: Bulkhead) -> Call[Result]:
        """Run a function in a thread as soon as there is a place for it. Raises what `ask` raises."""
        place = Place(self, bulkheads)
        place.call = call = Call(place, function, once=True)
        self._ask(place)
        return call

    def held(self) -> dict[Bulkhead, Held]:
        """What each bulkhead has of the pool just now."""
        with self._lock:
            found = {}
            for one in {*self._asked, *self._held}:
                given_up = len(self._given_up.get(one, ()))
                running = self._held[one] - given_up
                found[one] = Held(running, given_up, self._asked[one] - running)
            return found

    def leave(self, place: Place) -> None:
        """Take a place back; of a thread that still runs in it its bulkheads are short until it returns."""
        with self._lock:
            if place not in self._places:
                return
            was_held, call = place.granted.done(), place.call
            given_up = was_held and call is not None
            if given_up:
                self._forget(place)
                for one in place.bulkheads:
                    self._given_up[one].add(place)
            elif was_held:
                self._forget(place)
                self._release(place)
            else:
                self._withdraw(place)
            ready = list(self._grant())
        if given_up and self._hangs(place):
            log.warning("thread given up", pool=self.name, locations=[one.key for one in place.bulkheads])
        elif not was_held and call is not None:
            place.call = None
            call.cancel()
        self._begin(ready)

    def note_movement(self, bulkheads: tuple[Bulkhead, ...], now: float) -> None:
        """Note that work of these bulkheads moves."""
        for one in bulkheads:
            self._moved[one] = now

    def movements_ahead_of(self, place: Place) -> list[float]:
        """When those of its bulkheads last moved that have all their threads, and so keep the place waiting."""
        with self._lock:
            return [self._moved.get(one, 0.0) for one in place.bulkheads if self._held[one] >= self.share]

    def run(self, call: Call[Any]) -> None:
        """Have a thread run a call whose place is held."""
        with self._lock:
            queue = self._idle.pop() if self._idle else None
        if queue is None:
            queue = SimpleQueue()
            Thread(target=self._work, args=(queue,), name=self.name, daemon=True).start()
        queue.put(call)

    def _hangs(self, place: Place) -> bool:
        return place.quiet >= min(_HANGS_AFTER, self.patience)

    def _ask(self, place: Place) -> None:
        with self._lock:
            for one in place.bulkheads:
                hanging = [place for place in self._given_up.get(one, ()) if self._hangs(place)]
                if len(hanging) >= self.share:
                    raise one.unavailable(f"does not answer: the last {self.share} that asked it wait to this moment")
                if self.room is not None and self._asked[one] >= self.room:
                    raise Failed(FailureCode.SOURCE_BUSY, f"{self._asked[one]} others are at {one.name} or wait for it")
            self._places[place] = None
            _add(self._asked, place.bulkheads, 1)
            self._waiting.setdefault(place.bulkheads, deque()).append(place)
            ready = list(self._grant())
        self._begin(ready)

    def _grant(self) -> Iterator[Place]:
        """Hand out the places that are free, one to each bulkhead in turn."""
        handed_out = True
        while handed_out:
            handed_out = False
            for bulkheads in list(self._waiting):
                if self._taken >= self.threads or any(self._held[one] >= self.share for one in bulkheads):
                    continue
                queue = self._waiting.pop(bulkheads)
                place = queue.popleft()
                if queue:
                    self._waiting[bulkheads] = queue  # behind the others
                self._taken += 1
                _add(self._held, bulkheads, 1)
                handed_out = True
                yield place

    def _begin(self, places: list[Place]) -> None:
        for place in places:
            place.moved()
            place.granted.set_result(None)
            if (call := place.call) is None:
                continue
            if call.set_running_or_notify_cancel():
                self.run(call)
            else:
                place.call = None
                place.leave()

    def _forget(self, place: Place) -> None:
        """Nobody waits for what runs in a place any more."""
        del self._places[place]
        self._taken -= 1
        _add(self._asked, place.bulkheads, -1)

    def _release(self, place: Place) -> None:
        """No thread is in a place any more."""
        _add(self._held, place.bulkheads, -1)
        for one in place.bulkheads:
            if one not in self._held:
                self._moved.pop(one, None)

    def _withdraw(self, place: Place) -> None:
        del self._places[place]
        _add(self._asked, place.bulkheads, -1)
        queue = self._waiting[place.bulkheads]
        queue.remove(place)
        if not queue:
            del self._waiting[place.bulkheads]

    def _work(self, queue: SimpleQueue[Call[Any]]) -> None:
        """Run call after call, in a thread of its own, until there has been none for a while."""
        while (call := self._next(queue)) is not None:
            result = error = None
            try:
                result = call.function()
            except BaseException as raised:  # noqa: BLE001 - whoever waits for it gets it
                error = raised
            # Its place first: who hears of the result may ask for the next at once.
            self._end(call, queue)
            if error is None:
                call.set_result(result)
            else:
                call.set_exception(error)
            del call, result, error

    def _next(self, queue: SimpleQueue[Call[Any]]) -> Call[Any] | None:
        try:
            return queue.get(timeout=_IDLE)
        except Empty:
            with self._lock:
                if queue in self._idle:
                    self._idle.remove(queue)
                    return None
            return queue.get()  # one is on its way

    def _end(self, call: Call[Any], queue: SimpleQueue[Call[Any]]) -> None:
        place = call.place
        with self._lock:
            place.call = None  # or the two hold each other, and the block that was read, until they are collected
            self._idle.append(queue)
            if place not in self._places:
                for one in place.bulkheads:
                    self._given_up[one].remove(place)
                    if not self._given_up[one]:
                        del self._given_up[one]
                self._release(place)
            elif call.once:
                self._forget(place)
                self._release(place)
            ready = list(self._grant())
        self._begin(ready)


def _add(counts: Counter[Bulkhead], bulkheads: tuple[Bulkhead, ...], number: int) -> None:
    """Count for each bulkhead; one that has come to nothing is forgotten."""
    for one in bulkheads:
        counts[one] += number
        if not counts[one]:
            del counts[one]
