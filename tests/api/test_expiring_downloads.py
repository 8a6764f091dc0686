"""A download against the end of its order's life: whoever comes first wins, and the other is told."""

import asyncio

import sqlalchemy as sa
from httpx2 import AsyncClient
from sqlmodel import col

from models.queries import suborders as queries
from models.suborder import SubOrderState
from models.tables import Download, SubOrder
from tests.api.conftest import MakeReady
from tests.factories import Sessions
from tests.locks import somebody_waits

BIG = {"big": {"a.bin": bytes(range(256)) * 8192}}
"""More than is over before anything could expire."""


async def test_an_archive_that_expires_while_its_download_begins_is_gone(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order(BIG)
    expired = sa.update(SubOrder).where(col(SubOrder.order_id) == order.id).values(state=SubOrderState.EXPIRED)
    async with sessions.begin() as session:
        await session.execute(queries.hold_suborders(order.id))
        await session.execute(expired)
        asking = asyncio.create_task(client.get(f"/orders/{order.id}/suborders/1/archive"))
        await somebody_waits(sessions)
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_download_that_ended_leaves_nothing_that_keeps_its_order_from_expiring(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order(BIG)
    assert (await client.get(f"/orders/{order.id}/suborders/1/archive")).status_code == 200
    async with sessions.begin() as session:
        assert (await session.execute(sa.select(sa.func.count()).select_from(Download))).scalar_one() == 0
