"""Running activities outside a worker, and orders in the making for them to run on."""

import os
import resource
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.common import RetryPolicy
from temporalio.testing import ActivityEnvironment

from activities.planning import PlanningActivities
from activities.staging import StagingActivities
from models.messages import OrderRef, StagedFiles, SubOrderInput
from models.tables import Order
from tests.factories import Objects, add_order, add_product
from tests.services.catalogue_sources import rows

Sessions = async_sessionmaker[AsyncSession]
Given = TypeVar("Given")
Result = TypeVar("Result")

ATTEMPTS = 10
SCENES: Objects = {"s1": {"a.tif": b"a" * 1000, "b.tif": b"b" * 2000}, "s2": {"c.tif": b"c" * 3000}}


def attempt_of(number: int) -> ActivityEnvironment:
    """The environment of one attempt out of ten."""
    environment = ActivityEnvironment()
    policy = RetryPolicy(maximum_attempts=ATTEMPTS)
    environment.info = replace(environment.info, attempt=number, retry_policy=policy)
    return environment


async def run(work: Callable[[Given], Awaitable[Result]], argument: Given, *, attempt: int = 1) -> Result:
    """Run an activity as its worker would."""
    return await attempt_of(attempt).run(work, argument)


async def placed(sessions: Sessions, root: Path, files: Objects = SCENES, **options: Any) -> Order:
    """An order of everything in a product `scenes`."""
    await add_product(sessions, root, "scenes", files, **options)
    return await add_order(sessions, {"scenes": "all"})


async def planned(sessions: Sessions, root: Path, files: Objects = SCENES, **options: Any) -> Order:
    """The same, cut into sub-orders; into one unless it is huge."""
    order = await placed(sessions, root, files, **options)
    await run(PlanningActivities(sessions).plan_suborders, OrderRef(order_id=order.id))
    return order


async def staged(sessions: Sessions, order: Order) -> StagedFiles:
    """What staging the first sub-order comes to."""
    return await run(StagingActivities(sessions).stage_files, first_of(order))


def first_of(order: Order) -> SubOrderInput:
    """The first sub-order of an order."""
    return SubOrderInput(order_id=order.id, number=1)


async def files_in(sessions: Sessions, columns: str) -> list[Any]:
    """Columns of all order files, in their order."""
    return await rows(sessions, f"SELECT {columns} FROM order_files ORDER BY order_id, seq")


async def everything(sessions: Sessions) -> dict[str, list[Any]]:
    """All that is known of orders; two that are equal tell that nothing has happened between them."""
    tables = {"orders": "id", "suborders": "order_id, number", "order_files": "order_id, seq", "timeline": "sequence"}
    return {table: await rows(sessions, f"SELECT * FROM {table} ORDER BY {key}") for table, key in tables.items()}


def remove_all(root: Path) -> None:
    """Every scene is gone from the disk."""
    for path in root.glob("*/*.tif"):
        path.unlink()


def moved(folder: Path, name: str) -> Path:
    """The folder under another name."""
    return folder.rename(folder.with_name(name))


@contextmanager
def no_further_file() -> Iterator[None]:
    """This process can open nothing more, until the end of the block."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open("/", os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
