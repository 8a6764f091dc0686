"""Live events from the database's own notifications to clients on real connections."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.dependencies import Caller, Services
from api.events.listener import APPLICATION
from models.tables import Order
from storage.pool import StoragePool
from tests.api.conftest import PUBLIC_URL, MakeProduct
from tests.api.serving import served
from tests.factories import Sessions, add_order
from tests.issuer import as_, identified

CROWD = 200

OURS = APPLICATION.format(pid=os.getpid())
LISTENING = sa.text(
    f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{OURS}'"
    " AND datname = current_database() AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')"
)
TERMINATE = sa.text(
    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{OURS}'"
    " AND datname = current_database()"
)


class Reader:
    """One client of the stream."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id = ""

    async def next(self) -> tuple[str, dict[str, object]]:
        """The next event that a browser would dispatch."""
        event, data = "", ""
        async with asyncio.timeout(30):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                event = value if name == "event" else event
                data = value if name == "data" else data
                self.last_id = value if name == "id" else self.last_id
                if not line and data:
                    return event, json.loads(data)
        raise EOFError


@asynccontextmanager
async def reading(
    base: str, last_id: str | None = None, token: str | None = None, **params: str
) -> AsyncIterator[Reader]:
    headers = {"Authorization": f"Bearer {token}"} if token else as_("local")
    headers |= {"Last-Event-ID": last_id} if last_id else {}
    async with (
        AsyncClient(base_url=f"{base}/api/v1", timeout=30) as client,
        client.stream("GET", "/events", params=params, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        # A proxy that compressed it would hold events back until a block is full.
        assert answer.headers["cache-control"] == "no-store, no-transform"
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 3000"
        yield Reader(lines)


@pytest.fixture
async def services(sessions: Sessions, temporal_away: Client, readers: StoragePool) -> AsyncIterator[Services]:
    async with identified() as identity:
        yield Services(sessions, temporal_away, PUBLIC_URL, readers, identity=identity)


@pytest.fixture
async def base(services: Services, database_url: str) -> AsyncIterator[str]:
    async with served(services, database_url) as address:
        yield address


async def the_end(reader: Reader) -> None:
    """Read on. Raises EOFError at the end."""
    while True:
        await reader.next()


async def listening(reader: Reader) -> None:
    """Return when the process hears the database: its first word to whoever was there before is `resync`."""
    assert (await reader.next())[0] == "resync"


async def connected(engine: AsyncEngine) -> None:
    """Return when there is a LISTEN connection."""
    while True:
        async with engine.connect() as connection:
            if (await connection.execute(LISTENING)).scalar_one():
                return
        await asyncio.sleep(0.02)


async def move(sessions: Sessions, order: Order, **values: object) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).where(sa.column("id") == order.id).values(**values))


async def test_a_new_order_and_its_changes_are_told_to_its_owner_alone(
    base: str, engine: AsyncEngine, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await connected(engine)
    async with reading(base) as reader:
        await add_order(sessions, {"scenes": "all"}, caller=Caller("somebody-else"))
        mine = await add_order(sessions, {"scenes": "all"})
        event, data = await reader.next()
        while event == "resync":
            event, data = await reader.next()
        assert (event, data) == ("order", {"id": str(mine.id), "status": "pending_payment", "version": 1})
        await move(sessions, mine, status="validating", version=2)
        assert await reader.next() == ("order", {"id": str(mine.id), "status": "validating", "version": 2})
        last = reader.last_id
        await move(sessions, mine, status="failed", version=3)
        assert (await reader.next())[1]["version"] == 3
    async with reading(base, last) as again:
        assert (await again.next())[1] == {"id": str(mine.id), "status": "failed", "version": 3}
    async with reading(base, "12345678") as late:
        assert (await late.next())[0] == "resync"


async def test_an_order_that_came_to_nothing_is_not_told(
    engine: AsyncEngine, sessions: Sessions, make_product: MakeProduct, services: Services, database_url: str
) -> None:
    await make_product()
    told = await notifications(database_url, 2)
    await add_order(sessions, {"scenes": "all"}, label="taken")
    with pytest.raises(Exception, match="taken"):
        await add_order(sessions, {"scenes": "all"}, label="taken")
    await add_order(sessions, {"scenes": "all"}, label="free")
    assert [said["version"] for said in await told] == [1, 1]


async def test_progress_is_told_at_most_once_a_second_and_a_change_of_status_always(
    sessions: Sessions, make_product: MakeProduct, database_url: str
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    told = await notifications(database_url, 4)
    # The last time it was told is put where neither a quick machine nor a slow one can move it.
    await move(sessions, order, told_at=sa.func.now() - sa.text("interval '1 hour'"))
    await move(sessions, order, bytes_settled=1)
    await move(sessions, order, told_at=sa.func.now() + sa.text("interval '1 hour'"))
    for settled in range(2, 31):
        await move(sessions, order, bytes_settled=settled)
    await move(sessions, order, status="validating", version=2)
    await move(sessions, order, started_at=sa.func.now())
    await move(sessions, order, status="provisioning", version=3)
    await move(sessions, order, label="another")
    assert [said["status"] for said in await told] == ["pending_payment", "validating", "provisioning", "provisioning"]


async def notifications(database_url: str, count: int) -> "asyncio.Task[list[dict[str, object]]]":
    """The next notifications, heard by a connection of one's own that listens when this returns."""
    from psycopg import AsyncConnection

    connection = await AsyncConnection.connect(database_url, autocommit=True)
    await connection.execute("LISTEN consignor_orders")

    async def hear() -> list[dict[str, object]]:
        async with connection:
            return [json.loads(n.payload) async for n in connection.notifies(timeout=30, stop_after=count)]

    return asyncio.create_task(hear())


async def test_a_lost_connection_to_the_database_is_made_anew_and_told(
    base: str, engine: AsyncEngine, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await connected(engine)
    async with reading(base) as reader:
        async with engine.connect() as connection:
            await connection.execute(TERMINATE)
        await listening(reader)
        order = await add_order(sessions, {"scenes": "all"})
        event, data = await reader.next()
        while event == "resync":
            event, data = await reader.next()
        assert data["id"] == str(order.id)


async def test_a_crowd_hears_every_change_from_one_connection_to_the_database(
    base: str, engine: AsyncEngine, sessions: Sessions, make_product: MakeProduct, services: Services
) -> None:
    await make_product()
    await connected(engine)
    async with AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(reading(base)) for _ in range(CROWD)]
        assert len(services.operations.hub) == CROWD
        order = await add_order(sessions, {"scenes": "all"})

        async def heard(reader: Reader) -> object:
            while (said := await reader.next())[0] == "resync":
                pass
            return said[1]["id"]

        assert set(await asyncio.gather(*map(heard, crowd))) == {str(order.id)}
        async with engine.connect() as connection:
            assert (await connection.execute(LISTENING)).scalar_one() == 1


async def test_a_stream_ends_when_the_process_drains(base: str, services: Services) -> None:
    async with reading(base) as reader:
        services.operations.drain()
        with pytest.raises(EOFError):
            await the_end(reader)


async def test_a_stream_ends_when_its_token_is_revoked(
    sessions: Sessions, services: Services, database_url: str
) -> None:
    async with (
        served(replace(services, look_again_after=0.05), database_url) as base,
        AsyncClient(base_url=f"{base}/api/v1", timeout=30) as client,
    ):
        made = await client.post("/tokens", json={"name": "watch", "scopes": ["read"]}, headers=as_("local"))
        async with reading(base, token=made.json()["token"]) as reader:
            await client.delete(f"/tokens/{made.json()['id']}", headers=as_("local"))
            with pytest.raises(EOFError):
                await the_end(reader)


@pytest.mark.parametrize(
    ("params", "field"), [({"order": "x"}, "query/order/0"), ({"status": "sunny"}, "query/status/0")]
)
async def test_a_filter_that_means_nothing_is_refused(client: AsyncClient, params: dict[str, str], field: str) -> None:
    answer = await client.get("/events", params=params)
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["field"] == field
