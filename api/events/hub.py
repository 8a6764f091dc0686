"""The hub: one stream of changes in, fanned out to many clients, each with a bounded queue; none holds up another."""

import asyncio
import secrets
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from api.events.change import Change, Interest, opening, resync

RING = 256
"""Changes kept for those who come back, and the most that may wait for one client."""

COALESCE = 0.1
"""Seconds in which several changes of one order become one event."""


class Subscription:
    """What waits for one client: frames shared with everybody else, at most RING of them, else a single `resync`."""

    def __init__(self, interest: Interest) -> None:
        self.interest = interest
        self.open = True
        self._frames: deque[bytes] = deque()
        self._something = asyncio.Event()

    def put(self, frame: bytes, position: str) -> None:
        """Queue a frame; a client that is too slow loses them all and is told so."""
        if len(self._frames) >= RING:
            self.lose(position)
        else:
            self._frames.append(frame)
            self._something.set()

    def lose(self, position: str) -> None:
        """Replace whatever waits by a `resync`."""
        self._frames.clear()
        self._frames.append(resync(position))
        self._something.set()

    def close(self) -> None:
        """No more frames; whoever waits for some returns."""
        self.open = False
        self._something.set()

    async def take(self, patience: float) -> bytes:
        """All that waits as one piece; nothing after `patience` seconds without any, or once closed."""
        if not self._frames and self.open:
            timer = asyncio.get_running_loop().call_later(patience, self._something.set)
            try:
                await self._something.wait()
            finally:
                timer.cancel()
        self._something.clear()
        waiting = b"".join(self._frames)
        self._frames.clear()
        return waiting


class Hub:
    """The changes of the last moments and everybody who listens. Belongs to one event loop."""

    def __init__(self) -> None:
        self._subscriptions: defaultdict[str | None, set[Subscription]] = defaultdict(set)
        self._ring: deque[Change] = deque(maxlen=RING)
        self._batch: list[Change] = []
        self._flushing: asyncio.TimerHandle | None = None
        # Everything a client may come back with: the ids in the ring, and where the ring began.
        self._start = _mark()
        self._closed = False

    @property
    def position(self) -> str:
        """The id of the newest change that clients have been told of."""
        return self._ring[-1].id if self._ring else self._start

    def __len__(self) -> int:
        return sum(map(len, self._subscriptions.values()))

    def put(self, change: Change) -> None:
        """Take a change in; clients hear of it within COALESCE seconds."""
        self._batch.append(change)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(COALESCE, self._flush)

    def lose(self) -> None:
        """Changes may have been missed: forget what is known and have everybody load anew."""
        self._batch.clear()
        self._ring.clear()
        self._start = _mark()
        for subscription in self._all():
            subscription.lose(self._start)

    def subscribe(self, interest: Interest, last_id: str | None) -> Subscription:
        """Listen from now on, or from behind `last_id`; with a `resync` first where that is not known any more."""
        made = Subscription(interest)
        made.put(opening(last_id if last_id and self._knows(last_id) else self.position), self.position)
        if last_id is not None and not self._knows(last_id):
            made.put(resync(self.position), self.position)
        elif last_id is not None:
            for change in _newest(self._after(last_id)):
                if interest.wants(change):
                    made.put(change.frame, self.position)
        if self._closed:
            made.close()
        self._subscriptions[interest.visibility.customer].add(made)
        return made

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a client."""
        key = subscription.interest.visibility.customer
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
        for change in _newest(batch):
            # Only those it concerns are woken: a thousand clients cost nothing while others' orders move.
            for key in (None, change.customer):
                for subscription in self._subscriptions.get(key, ()):
                    if subscription.interest.wants(change):
                        subscription.put(change.frame, self.position)

    def _knows(self, last_id: str) -> bool:
        return last_id == self._start or any(change.id == last_id for change in self._ring)

    def _after(self, last_id: str) -> Iterator[Change]:
        changes = iter(self._ring)
        if last_id != self._start:
            for change in changes:
                if change.id == last_id:
                    break
        return changes

    def _all(self) -> list[Subscription]:
        return [one for several in self._subscriptions.values() for one in several]


def _newest(changes: Iterable[Change]) -> list[Change]:
    """The last change of each order, in the order they came: what lies before it nobody needs to know."""
    newest: dict[object, Change] = {}
    for change in changes:
        newest.pop(change.order, None)
        newest[change.order] = change
    return list(newest.values())


def _mark() -> str:
    """A position no other process or moment knows: whoever comes back with it elsewhere has to load anew."""
    return f"start-{secrets.token_hex(6)}"
