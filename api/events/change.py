"""A change of an order as it travels to clients, and who may hear of it."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict

from models.listing import Visibility

CHANNEL = "consignor_orders"
"""The channel of PostgreSQL on which the trigger of migration 0009 tells of every order."""


class Notice(BaseModel):
    """The payload of a notification, as the trigger writes it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    order: UUID
    customer: str
    status: str
    version: int


@dataclass(frozen=True)
class Change:
    """One change of one order; its id is the position in the stream of all changes."""

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
class Interest:
    """What a client wants of what it may see; an empty filter wants everything."""

    visibility: Visibility
    orders: Collection[UUID] = frozenset()
    statuses: Collection[str] = frozenset()

    def wants(self, change: Change) -> bool:
        """Whether the client may and wants to hear of this change."""
        return (
            self.visibility.customer in {None, change.customer}
            and (not self.orders or change.order in self.orders)
            and (not self.statuses or change.status in self.statuses)
        )


def change_of(payload: str) -> Change:
    """The change that a notification tells of. Raises ValidationError for what is none of ours."""
    notice = Notice.model_validate_json(payload)
    return Change(str(notice.id), notice.order, notice.customer, notice.status, notice.version)


def resync(position: str) -> bytes:
    """The frame that tells a client that it has missed something: load anew what you show."""
    return b"id: %b\nevent: resync\ndata: {}\n\n" % position.encode()


def opening(position: str) -> bytes:
    """The first frame: when to come back after a break, and from where."""
    return b"retry: 3000\nid: %b\n\n" % position.encode()


def heartbeat(position: str) -> bytes:
    """A sign of life that browsers do not dispatch; its id keeps Last-Event-ID fresh meanwhile."""
    return b": alive\nid: %b\n\n" % position.encode()
