"""Change events: what changed about an order, as PostgreSQL reports it, as clients get it, and which clients do."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict

from models.listing import Visibility

CHANNEL = "consignor_orders"
"""The channel of PostgreSQL on which the trigger of migration 0009 notifies of every order."""


class ChangeEvent(BaseModel):
    """One change of one order, read from the payload of a notification as the trigger writes it.

    Its id is the position in the stream of all changes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    order: UUID
    customer: str
    status: str
    version: int

    @cached_property
    def frame(self) -> bytes:
        """The event as its bytes on the wire, encoded once for all clients."""
        data = orjson.dumps({"id": self.order, "status": self.status, "version": self.version})
        return b"id: %b\nevent: order\ndata: %b\n\n" % (self.id.encode(), data)


@dataclass(frozen=True)
class EventFilter:
    """Which events a client gets of those it may see; an empty collection lets all through."""

    visibility: Visibility
    orders: Collection[UUID] = frozenset()
    statuses: Collection[str] = frozenset()

    def matches(self, event: ChangeEvent) -> bool:
        """Whether the client may see this event and has asked for it."""
        return (
            self.visibility.customer in {None, event.customer}
            and (not self.orders or event.order in self.orders)
            and (not self.statuses or event.status in self.statuses)
        )


def resync(position: str) -> bytes:
    """The frame that makes a client load again what it shows, because it has missed events."""
    return b"id: %b\nevent: resync\ndata: {}\n\n" % position.encode()


def opening(position: str) -> bytes:
    """The first frame: when to reconnect after a break, and from where."""
    return b"retry: 3000\nid: %b\n\n" % position.encode()


def heartbeat(position: str) -> bytes:
    """A frame that browsers do not dispatch; its id keeps Last-Event-ID fresh meanwhile."""
    return b": alive\nid: %b\n\n" % position.encode()
