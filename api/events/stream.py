"""The answer that streams events: frames as they come, heartbeats between them, until either side ends it."""

import asyncio
from contextlib import AbstractContextManager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.events.change_event import EventFilter, heartbeat
from api.events.hub import Hub, Subscription
from api.http.lasting import LastingRight

HEARTBEAT = 15.0
"""Seconds of silence after which a heartbeat is sent; proxies close what is silent for a minute."""

STUCK_AFTER = 30.0
"""Seconds after which a client that takes nothing is cut off; the hub keeps no memory for it meanwhile."""


class EventStream(Response):
    """`text/event-stream` (WHATWG HTML, 9.2); what it sends has been encoded once for all clients."""

    media_type = "text/event-stream"

    def __init__(
        self,
        hub: Hub,
        event_filter: EventFilter,
        last_id: str | None,
        right: LastingRight,
        room: AbstractContextManager[None],
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"})
        # Unlike a body, a stream has no length.
        del self.headers["content-length"]
        self._hub, self._filter, self._last_id = hub, event_filter, last_id
        self._right, self._room = right, room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client disconnects or may not any more, the process stops, or nothing gets through.

        Raises TooManyStreams or ServerBusy before anything has gone out.
        """
        with self._room:
            await self._stream(receive, send)

    async def _stream(self, receive: Receive, send: Send) -> None:
        subscription = self._hub.subscribe(self._filter, self._last_id)
        watching = asyncio.create_task(_gone(receive))
        watching.add_done_callback(lambda _: subscription.close())
        looking = asyncio.create_task(self._close_when_over(subscription))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while frames := await subscription.take(HEARTBEAT) or (subscription.open and self._alive()):
                async with asyncio.timeout(STUCK_AFTER):
                    await send({"type": "http.response.body", "body": frames, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (OSError, TimeoutError):
            # The client has gone or is stuck; there is nothing to answer.
            return
        finally:
            self._hub.unsubscribe(subscription)
            watching.cancel()
            looking.cancel()

    async def _close_when_over(self, subscription: Subscription) -> None:
        """Close the stream of a client that may not have it any more; the client sees why when it comes back."""
        try:
            await self._right.ended()
        finally:
            subscription.close()

    def _alive(self) -> bytes:
        return heartbeat(self._hub.position)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
