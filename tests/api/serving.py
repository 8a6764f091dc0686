"""The facade on a real port of this process, for what a transport without a network cannot show: streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from api.app import create_app
from api.dependencies import Services


@asynccontextmanager
async def served(services: Services, database_url: str) -> AsyncIterator[str]:
    """The address of the facade, listening to the database as in its own process."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        async with services.operations.running(database_url, services.temporal):
            yield services

    config = uvicorn.Config(create_app(opened), port=0, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    # Signals are the test runner's.
    serving = asyncio.create_task(server._serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        services.operations.drain()
        server.should_exit = True
        await serving
