"""The facade in this process, on a real database; Temporal is away, which must keep nobody from ordering."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from temporalio.client import Client

from api.dependencies import Services
from api.identity.oidc import OpenIdConnect
from api.operations.state import FiguresAge, Operations
from models.links import LinkKeys
from models.tables import Order, Product
from storage.pool import StoragePool
from temporal.converter import DATA_CONVERTER
from tests.api.applications import started
from tests.api.response_recorder import HOOKS
from tests.factories import Objects, Sessions, add_order, add_product, make_ready
from tests.issuer import Issuer

PUBLIC_URL = "https://orders.example"
LINK_KEY = "k" * 40

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
    return await Client.connect(f"127.0.0.1:{port}", data_converter=DATA_CONVERTER, lazy=True)


@pytest.fixture(scope="session")
def readers() -> StoragePool:
    """Threads that read the files of archives."""
    return StoragePool("downloads", 4)


@pytest.fixture
def issuer() -> Issuer:
    """The identity provider that the application believes."""
    return Issuer()


@pytest.fixture
def operations() -> Operations:
    """What the application knows of itself."""
    return Operations(figures=FiguresAge(keep=0))


@pytest.fixture
async def services(
    sessions: Sessions, temporal_away: Client, readers: StoragePool, issuer: Issuer, operations: Operations
) -> AsyncIterator[Services]:
    """What the application works with."""
    async with issuer.client() as http:
        yield Services(
            sessions,
            temporal_away,
            PUBLIC_URL,
            readers,
            link_keys=LinkKeys([LINK_KEY]),
            identity=OpenIdConnect(issuer.config, http, issuer.clock),
            operations=operations,
        )


@pytest.fixture
async def app(services: Services) -> AsyncIterator[FastAPI]:
    """The whole application, started."""
    async with started(services) as app:
        yield app


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client that is nobody; an exception that nobody turned into an answer fails the test."""
    async with AsyncClient(transport=ASGITransport(app), base_url=f"{PUBLIC_URL}/api/v1", event_hooks=HOOKS) as made:
        yield made


@pytest.fixture
async def client(app: FastAPI, issuer: Issuer) -> AsyncIterator[AsyncClient]:
    """A client of the customer whose orders the factories make."""
    headers = {"Authorization": f"Bearer {issuer.token('local')}"}
    transport, url = ASGITransport(app), f"{PUBLIC_URL}/api/v1"
    async with AsyncClient(transport=transport, base_url=url, headers=headers, event_hooks=HOOKS) as made:
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
