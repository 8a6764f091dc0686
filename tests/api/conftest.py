"""The facade in this process, on a real database; Temporal is away, which must keep nobody from ordering."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from api.app import create_app
from api.operations import Operations
from api.services import Services
from models.tables import Order, Product
from tests.factories import Objects, Sessions, add_order, add_product, make_ready

PUBLIC_URL = "https://orders.example"

MakeProduct = Callable[..., Awaitable[Product]]
MakeReady = Callable[..., Awaitable[Order]]

SCENES: Objects = {
    "winter": {"b1.tif": b"winter one" * 40, "b2.tif": b""},
    "spring": {"b1.tif": b"spring one" * 3000, "notes ü.txt": b"notes"},
    "summer": {"b1.tif": b"summer one"},
}


@pytest.fixture(scope="session")
async def temporal_away(own_environment: None) -> Client:
    """A client of a Temporal that is not there: its port belongs to nobody."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return await Client.connect(f"127.0.0.1:{port}", data_converter=pydantic_data_converter, lazy=True)


@pytest.fixture(scope="session")
def readers() -> Iterator[Executor]:
    """Threads that read the files of archives."""
    with ThreadPoolExecutor(2) as made:
        yield made


@pytest.fixture
def operations() -> Operations:
    """What the application knows of itself."""
    return Operations()


@pytest.fixture
async def client(
    sessions: Sessions, temporal_away: Client, readers: Executor, operations: Operations
) -> AsyncIterator[AsyncClient]:
    """A client of the whole application; an exception that nobody turned into an answer fails the test."""

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        yield Services(sessions, temporal_away, PUBLIC_URL, readers, operations=operations)

    app = create_app(services)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url=f"{PUBLIC_URL}/api/v1") as made,
    ):
        yield made


@pytest.fixture
def make_product(sessions: Sessions, tmp_path: Path) -> MakeProduct:
    """Puts a product, scenes unless told otherwise, into the catalogue and its files on the disk."""

    async def make(sku: str = "scenes", files: Objects = SCENES, price: str = "0", **more: Any) -> Product:
        return await add_product(sessions, tmp_path / sku, sku, files, price=Decimal(price), **more)

    return make


@pytest.fixture
def make_ready_order(sessions: Sessions, make_product: MakeProduct) -> MakeReady:
    """Makes a product, orders all of it and publishes its archives."""

    async def make(files: Objects = SCENES, label: str | None = None) -> Order:
        await make_product(files=files)
        order = await add_order(sessions, {"scenes": "all"}, label=label)
        await make_ready(sessions, order)
        return order

    return make
