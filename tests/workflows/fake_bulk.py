"""Fakes of the activities of a bulk: functions of the same names and signatures."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from models.messages import ORDERS_QUEUE, BulkPage, BulkPageDone, BulkRef
from workflows.bulk import BulkWorkflow
from workflows.worker import sandbox


@dataclass
class BulkWorld:
    """A bulk of some pages, each of one order; on the page `held` work goes on until it is cancelled."""

    pages: int
    held: int | None = None
    asked: list[int] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    holding: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: bool = False

    @activity.defn(name="work_bulk")
    async def work_bulk(self, page: BulkPage) -> BulkPageDone:
        self.called.append("work")
        number = page.after.int + 1 if page.after else 1
        if self.stopped or number > self.pages:
            return BulkPageDone(total=self.pages)
        self.asked.append(number)
        while number == self.held:
            self.holding.set()
            activity.heartbeat()
            await asyncio.sleep(0.02)
        return BulkPageDone(last=UUID(int=number), done=number, total=self.pages)

    @activity.defn(name="stop_bulk")
    async def stop_bulk(self, ref: BulkRef) -> None:
        self.called.append("stop")
        self.stopped = True

    @activity.defn(name="close_bulk")
    async def close_bulk(self, ref: BulkRef) -> BulkPageDone:
        self.called.append("close")
        return BulkPageDone(done=len(self.asked), total=self.pages)


@asynccontextmanager
async def working_off(client: Client, world: BulkWorld) -> AsyncIterator[None]:
    """A worker of this bulk."""
    activities: list[Callable[..., Any]] = [world.work_bulk, world.stop_bulk, world.close_bulk]
    async with Worker(
        client,
        task_queue=ORDERS_QUEUE,
        workflows=[BulkWorkflow],
        workflow_runner=sandbox(),
        activities=activities,
    ):
        yield
