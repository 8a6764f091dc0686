"""Live events: what changes about your orders, as it happens."""

from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse

from api.events.change_event import EventFilter
from api.events.hub import Hub
from api.events.stream import EventStream
from api.http.answers import answers
from api.http.container import Container, services
from api.http.limiting import Ceiling
from api.identity.authenticate import CallerDep
from api.identity.rights import right_to_read
from models.errors import ServerBusy, TooManyStreams
from models.order import OrderStatus

router = APIRouter(prefix="/events", tags=["events"])

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The stream of events"},
}


class EventsServices(Container, Protocol):
    """What this room takes of the application that serves a request."""

    @property
    def hub(self) -> Hub:
        """The stream of all changes."""

    @property
    def streams(self) -> Ceiling:
        """How many streams may be open."""


EventsServicesDep = Annotated[EventsServices, Depends(services)]

Orders = Annotated[list[UUID] | None, Query(max_length=200, description="Only these orders.")]
Statuses = Annotated[list[OrderStatus] | None, Query(max_length=20, description="Only changes into these statuses.")]
LastId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID", max_length=64, description="Where a stream broke off; browsers send it by themselves."
    ),
]


@router.get("", name="watch-orders", response_class=StreamingResponse, responses=RESPONSES)
@answers(TooManyStreams, ServerBusy)
async def watch_orders(
    services: EventsServicesDep,
    caller: CallerDep,
    order: Orders = None,
    status: Statuses = None,
    last_event_id: LastId = None,
) -> EventStream:
    """Changes of your orders as server-sent events: `order` for a change, `resync` when some may have been missed."""
    event_filter = EventFilter(caller.visibility, frozenset(order or ()), frozenset(status or ()))
    right, room = right_to_read(services, caller), services.streams.room(caller.customer)
    return EventStream(services.hub, event_filter, last_event_id, right, room)
