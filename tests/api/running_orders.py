"""Orders that live: the facade with a real Temporal, real workers and real files behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from httpx2 import ASGITransport, AsyncClient
from sqlmodel import col
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from api.dependencies import Services
from models.messages import OrderTimeouts, bulk_workflow_id, new_order_workflow_id, suborder_workflow_id
from models.splitting import Limits
from models.tables import Bulk, CatalogueFile, Order, SubOrder
from storage.pool import StoragePool
from tests.api.applications import lent_app
from tests.api.response_recorder import HOOKS
from tests.factories import Sessions, a_shop
from tests.issuer import as_, identified
from workflows.worker import orders_worker, packaging_worker

PUBLIC_URL = "https://orders.example"
URL = f"{PUBLIC_URL}/api/v1"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TERMS = OrderTimeouts()
OVER = {"fulfilled", "fulfilled_with_warnings", "failed", "cancelled"}
HUGE_BYTES = 2**42
"""A hole in a file that takes longer to read than any test lasts."""


@asynccontextmanager
async def facade(
    sessions: Sessions, temporal: Client, readers: StoragePool, secrets: tuple[str, ...] = (SECRET,), **more: Any
) -> AsyncIterator[AsyncClient]:
    """A customer's client of the whole application; `more` are other services.

    An exception that nobody turned into an answer fails the test.
    """

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        async with identified() as identity:
            yield Services(sessions, temporal, PUBLIC_URL, readers, secrets, identity=identity, **more)

    with lent_app(services) as app:
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=ASGITransport(app), base_url=URL, headers=as_("local"), event_hooks=HOOKS) as made,
        ):
            yield made


@asynccontextmanager
async def working(temporal: Client, sessions: Sessions, limits: Limits | None = None) -> AsyncIterator[None]:
    """Workers as `consignor worker` runs them; at the end no workflow of this test is left for the next."""
    async with orders_worker(temporal, sessions, a_shop(limits)), packaging_worker(temporal, sessions):
        try:
            yield
        finally:
            await _end_all(temporal, sessions)


async def _end_all(temporal: Client, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        orders = {order.id: order.workflow_id for order in (await session.execute(sa.select(Order))).scalars()}
        parts = (await session.execute(sa.select(col(SubOrder.order_id), col(SubOrder.number)))).all()
        bulks = (await session.execute(sa.select(col(Bulk.id)))).scalars().all()
    await _terminate(temporal, map(bulk_workflow_id, bulks))
    await _terminate(temporal, orders.values())
    await _terminate(temporal, [suborder_workflow_id(orders[order], number) for order, number in parts])


async def _terminate(temporal: Client, ids: Iterable[str]) -> None:
    for workflow_id in ids:
        try:
            await temporal.get_workflow_handle(workflow_id).terminate()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


def workflow_of(order: Any) -> str:
    """The id of the workflow of an order that the API has shown."""
    return new_order_workflow_id(order["number"], UUID(order["id"]))


async def ordered(client: AsyncClient, sku: str = "scenes", **more: Any) -> Any:
    """A new order of everything in a product."""
    answer = await client.post("/orders", json={"items": [{"product": sku}], **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def until(client: AsyncClient, order: Any, condition: Callable[[Any], object]) -> Any:
    """The order as soon as it is as wanted."""
    seen: Any = None
    try:
        async with asyncio.timeout(60):
            while True:
                if condition(seen := (await client.get(f"/orders/{order['id']}")).json()):
                    return seen
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"the order never was as wanted: {seen}") from None


async def settled(client: AsyncClient, order: Any) -> Any:
    """The order when nothing more happens by itself."""
    return await until(client, order, lambda seen: seen["status"] in OVER)


async def reading(client: AsyncClient, order: Any) -> None:
    """Return when a file of the order is being read."""
    async with asyncio.timeout(60):
        while True:
            parts = (await client.get(f"/orders/{order['id']}/suborders")).json()["items"]
            if any(part["state"] == "staging" for part in parts):
                return
            await asyncio.sleep(0.02)


async def command(
    client: AsyncClient, order: Any, verb: str, key: str | None = None, *, by: str = "local", **body: Any
) -> Any:
    """What a command answers that is obeyed."""
    headers = as_(by) | ({"Idempotency-Key": key} if key else {})
    answer = await client.post(f"/orders/{order['id']}/{verb}", json=body or None, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def told(client: AsyncClient, order: Any) -> list[tuple[str, str]]:
    """What the timeline says has happened, and by whom; its numbers have no gap."""
    rows = (await client.get(f"/orders/{order['id']}/timeline")).json()["items"]
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    return [(row["what"], row["actor"]) for row in rows]


async def make_endless(sessions: Sessions, path: Path) -> None:
    """Have the one file of that name take for ever to read; it is nearly all hole."""
    values = {"size_bytes": HUGE_BYTES, "modified_ns": _grown(path), "sha256": None}
    async with sessions.begin() as session:
        changed = sa.update(CatalogueFile).where(col(CatalogueFile.name) == path.name).values(**values)
        await session.execute(changed)


def _grown(path: Path) -> int:
    """Make the file huge; gives when that was."""
    with path.open("ab") as file:
        file.truncate(HUGE_BYTES)
    return path.stat().st_mtime_ns
