"""One pool of connections that many share: nobody's crowd keeps somebody else waiting."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from database.fair_pool import FairPool, ask_as, asking_as
from models.errors import ServerBusy


def four(url: str, timeout: float = 30.0) -> AsyncEngine:
    """Four connections, of which somebody may hold two."""
    return create_async_engine(
        url, poolclass=FairPool, pool_size=2, max_overflow=2, pool_timeout=timeout, pool_pre_ping=True
    )


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections for which nobody waits in vain."""
    made = four(database_url)
    yield made
    await made.dispose()


@pytest.fixture
async def impatient(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections for which somebody waits long enough for one that is coming back to come."""
    made = four(database_url, timeout=1.5)
    yield made
    await made.dispose()


async def one(connection: AsyncConnection) -> int:
    return int((await connection.execute(sa.text("SELECT 1"))).scalar_one())


async def test_whoever_holds_half_waits_and_others_do_not(impatient: AsyncEngine) -> None:
    engine = impatient
    with asking_as("crowd"):
        async with engine.connect() as first, engine.connect() as second:
            assert await one(first) == await one(second) == 1
            with pytest.raises(PoolTimeoutError):
                await engine.connect()
            with asking_as("bystander"):
                async with engine.connect() as third, engine.connect() as fourth:
                    assert await one(third) == await one(fourth) == 1
        async with engine.connect() as again, engine.connect() as too:
            assert await one(again) == await one(too) == 1


async def test_a_crowd_is_served_one_after_the_other(engine: AsyncEngine) -> None:
    most = 0

    async def ask() -> None:
        nonlocal most
        async with engine.connect() as connection:
            await one(connection)
            pool = engine.pool
            assert isinstance(pool, FairPool)
            most = max(most, pool.checkedout())

    with asking_as("crowd"):
        await asyncio.gather(*(ask() for _ in range(30)))
    assert most == 2


async def test_who_asks_too_much_of_a_database_that_answers_hears_that_it_is_busy(impatient: AsyncEngine) -> None:
    engine = impatient
    with asking_as("crowd"):
        first, second = await engine.connect(), await engine.connect()
        waiting = [asyncio.ensure_future(engine.connect().start()) for _ in range(2)]
        await asyncio.sleep(0)
        await first.close()
        done, rest = await asyncio.wait(waiting)
        assert not rest
        outcomes = {type(task.exception()): task for task in done}
        assert outcomes.keys() == {type(None), ServerBusy}
        await outcomes[type(None)].result().close()
        await second.close()


async def test_a_connection_that_cannot_be_made_gives_its_turn_back() -> None:
    made = create_async_engine(
        "postgresql+psycopg://nobody@127.0.0.1:9/none", poolclass=FairPool, pool_size=1, max_overflow=1
    )
    with asking_as("crowd"):
        for _ in range(3):
            with pytest.raises(sa.exc.OperationalError):
                await made.connect()
    await made.dispose()


async def test_work_that_is_nobodys_takes_what_it_needs_and_a_request_says_later_whose_it_is(
    engine: AsyncEngine,
) -> None:
    connections = [await engine.connect() for _ in range(4)]
    for connection in connections:
        await connection.close()
    with asking_as("strangers"):
        ask_as("crowd")
        async with engine.connect(), engine.connect():
            with asking_as("strangers"):
                async with engine.connect() as connection:
                    assert await one(connection) == 1
