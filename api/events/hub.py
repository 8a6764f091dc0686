"""The hub: one stream of events in, fanned out to many clients, each with a bounded queue; none holds up another."""

import asyncio
import secrets
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from api.events.change_event import ChangeEvent, EventFilter, opening, resync

RING = 256
"""Events kept for clients that reconnect, and the most that may wait for one client."""

COALESCE = 0.1
"""Seconds in which several events of one order become one event."""


class Subscription:
    """What waits for one client: frames shared with everybody else, at most RING of them, else a single `resync`."""

    def __init__(self, event_filter: EventFilter) -> None:
        self.filter = event_filter
        self.open = True
        self._frames: deque[bytes] = deque()
        self._something = asyncio.Event()

    def put(self, frame: bytes, position: str) -> None:
        """Queue a frame; a client that is too slow loses them all and has to resync."""
        if len(self._frames) >= RING:
            self.resync(position)
        else:
            self._frames.append(frame)
            self._something.set()

    def resync(self, position: str) -> None:
        """Replace all that waits by a `resync`."""
        self._frames.clear()
        self._frames.append(resync(position))
        self._something.set()

    def close(self) -> None:
        """Take no more frames; `take` returns at once."""
        self.open = False
        self._something.set()

    async def take(self, seconds: float) -> bytes:
        """All frames that wait, joined; nothing after so many seconds without any, or once closed."""
        if not self._frames and self.open:
            timer = asyncio.get_running_loop().call_later(seconds, self._something.set)
            try:
                await self._something.wait()
            finally:
                timer.cancel()
        self._something.clear()
        waiting = b"".join(self._frames)
        self._frames.clear()
        return waiting


class Hub:
    """The latest events and all subscriptions. Belongs to one event loop."""

    def __init__(self) -> None:
        self._subscriptions: defaultdict[str | None, set[Subscription]] = defaultdict(set)
        self._ring: deque[ChangeEvent] = deque(maxlen=RING)
        self._batch: list[ChangeEvent] = []
        self._flushing: asyncio.TimerHandle | None = None
        # Everything a client may come back with: the ids in the ring, and where the ring began.
        self._start = _mark()
        self._closed = False

    @property
    def position(self) -> str:
        """The id of the newest event that clients have got."""
        return self._ring[-1].id if self._ring else self._start

    def __len__(self) -> int:
        return sum(map(len, self._subscriptions.values()))

    def publish(self, event: ChangeEvent) -> None:
        """Publish an event; clients get it within COALESCE seconds."""
        self._batch.append(event)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(COALESCE, self._flush)

    def reset(self) -> None:
        """Forget all events and resync all clients, because some may have been missed."""
        self._batch.clear()
        self._ring.clear()
        self._start = _mark()
        for subscription in self._all():
            subscription.resync(self._start)

    def subscribe(self, event_filter: EventFilter, last_id: str | None) -> Subscription:
        """Listen from now on, or from behind `last_id`; with a `resync` first where that is not known any more."""
        subscription = Subscription(event_filter)
        subscription.put(opening(last_id if last_id and self._knows(last_id) else self.position), self.position)
        if last_id is not None and not self._knows(last_id):
            subscription.put(resync(self.position), self.position)
        elif last_id is not None:
            for event in _newest(self._after(last_id)):
                if event_filter.matches(event):
                    subscription.put(event.frame, self.position)
        if self._closed:
            subscription.close()
        self._subscriptions[event_filter.visibility.customer].add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a client."""
        key = subscription.filter.visibility.customer
        self._subscriptions[key].discard(subscription)
        if not self._subscriptions[key]:
            del self._subscriptions[key]

    def close(self) -> None:
        """End all streams, also those that are yet to begin: this process is about to stop."""
        self._closed = True
        for subscription in self._all():
            subscription.close()

    def _flush(self) -> None:
        self._flushing = None
        batch, self._batch = self._batch, []
        self._ring.extend(batch)
        for event in _newest(batch):
            # Only the clients it concerns are woken: a thousand cost nothing while others' orders change.
            for key in (None, event.customer):
                for subscription in self._subscriptions.get(key, ()):
                    if subscription.filter.matches(event):
                        subscription.put(event.frame, self.position)

    def _knows(self, last_id: str) -> bool:
        return last_id == self._start or any(event.id == last_id for event in self._ring)

    def _after(self, last_id: str) -> Iterator[ChangeEvent]:
        events = iter(self._ring)
        if last_id != self._start:
            for event in events:
                if event.id == last_id:
                    break
        return events

    def _all(self) -> list[Subscription]:
        return [one for several in self._subscriptions.values() for one in several]


def _newest(events: Iterable[ChangeEvent]) -> list[ChangeEvent]:
    """The last event of each order, in the order they came: those before it tell clients nothing more."""
    newest: dict[object, ChangeEvent] = {}
    for event in events:
        newest.pop(event.order, None)
        newest[event.order] = event
    return list(newest.values())


def _mark() -> str:
    """A position that no other process or moment has: a client that reconnects with it elsewhere has to resync."""
    return f"start-{secrets.token_hex(6)}"
