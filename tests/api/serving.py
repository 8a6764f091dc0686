"""The facade on a real port of this process, for what a transport without a network cannot show: streams."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import uvicorn

from api.dependencies import Services
from api.http.protocol import ConnectionBounds, server_config
from tests.api.applications import lent_app


@asynccontextmanager
async def served(
    services: Services,
    database_url: str,
    *,
    is_public: bool = False,
    bounds: ConnectionBounds = ConnectionBounds(),  # noqa: B008 - immutable
    send_buffer: int | None = None,
) -> AsyncIterator[str]:
    """The address of the facade, listening to the database as in its own process; its links lead there if public.

    With a small `send_buffer` an answer that nobody reads is under way for long, though it is short.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    services = replace(services, public_url=address) if is_public else services

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        async with services.operations.running(database_url, services.temporal):
            yield services

    with lent_app(opened) as app:
        server = uvicorn.Server(server_config(app, bounds, log_level="warning"))
        # Signals are the test runner's.
        serving = asyncio.create_task(server._serve([listening]))
        try:
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            yield address
        finally:
            services.operations.drain()
            server.should_exit = True
            await serving
