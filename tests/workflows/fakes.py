"""Fakes of the activities of one order: functions of the same names and signatures that follow a script."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Interceptor, Worker

from activities.failures import FailureInterceptor
from activities.orders import TimelineConflict
from models.errors import Failed, Failure, FailureCode
from models.messages import (
    DELIVERIES_QUEUE,
    ORDERS_QUEUE,
    PACKAGING_QUEUE,
    Delivered,
    OrderBrief,
    OrderRef,
    OrderTimeouts,
    Projection,
    Publication,
    Release,
    Released,
    Reopening,
    SettlementTotals,
    StagedFiles,
    SubOrderBrief,
    SubOrderFailed,
    SubOrderInput,
    SubOrderPage,
    SubOrderResult,
    SubOrders,
    TimelineEntry,
    ValidationResult,
    new_order_workflow_id,
    suborder_workflow_id,
)
from models.order import OrderStatus
from models.suborder import SubOrderState
from models.tables import Order
from workflows.worker import WORKFLOWS, sandbox

MISMATCH = Failure(code=FailureCode.CHECKSUM_MISMATCH, text="b.tif is not what the catalogue promises")
UNAVAILABLE = Failed(FailureCode.SOURCE_UNAVAILABLE, "the storage archive does not answer")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
GIVEN_UP = 99
"""The attempt number under which the rest of a sub-order is given up."""


NUMBER = "CO-2026-000042"


def workflow_of(order_id: UUID) -> str:
    """The id of the workflow of `an_order`."""
    return new_order_workflow_id(NUMBER, order_id)


def an_order(order_id: UUID) -> Order:
    """A free order of three files, as the facade has it before it starts the workflow."""
    return Order(
        id=order_id,
        number=NUMBER,
        kept_workflow_id=workflow_of(order_id),
        customer="maria",
        label="winter",
        status=OrderStatus.PENDING_PAYMENT,
        status_at=NOON,
        version=1,
        total_price=Decimal(0),
        currency="EUR",
        created_at=NOON,
        objects_total=1,
        files_total=3,
        bytes_total=3000,
    )


SHORT = OrderTimeouts(keep_for=timedelta(milliseconds=100), remind_before=timedelta())
"""Timeouts of an order that expires as soon as it has settled, so that its workflow ends."""


ALERT: Mapping[str, Any] = {
    "interceptors": [FailureInterceptor()],
    "max_heartbeat_throttle_interval": timedelta(milliseconds=200),
    "default_heartbeat_throttle_interval": timedelta(milliseconds=200),
}
"""Options of workers that notice a cancel at once, and not after most of a heartbeat timeout."""


async def _at_once(_: int) -> None:
    """Let a sub-order be staged without delay."""


@dataclass
class World:
    """What the activities of one order answer, and what they were asked.

    `suborders` gives available and failed files of each, the first is number 1; `unreadable` are those that are
    never staged because of the `failure`; `late` are the refusals that publications meet first;
    `downloads` is how often a release meets an open download; `gate` is awaited while a sub-order is staged.
    """

    suborders: list[tuple[int, int]] = field(default_factory=lambda: [(2, 0)])
    is_free: bool = True
    too_many: Failure | None = None
    begins: OrderStatus = OrderStatus.PENDING_PAYMENT
    terms: OrderTimeouts = SHORT
    mended: bool = False
    left: int = 0
    downloads: int = 0
    released: list[SubOrderState] = field(default_factory=list)
    verdict: ValidationResult = field(default_factory=ValidationResult)
    validation: Mapping[int, Exception] = field(default_factory=dict)
    unreadable: frozenset[int] = frozenset()
    failure: Failure = UNAVAILABLE.failure
    late: list[Exception] = field(default_factory=list)
    delivers: bool = False
    undeliverable: Mapping[int, Exception] = field(default_factory=dict)
    delivered: list[int] = field(default_factory=list)
    gate: Callable[[int], Awaitable[None]] = _at_once
    calls: Counter[str] = field(default_factory=Counter)
    entries: list[TimelineEntry] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    publications: dict[int, int] = field(default_factory=dict)
    given_up: dict[int, Failure] = field(default_factory=dict)
    staging: set[int] = field(default_factory=set)
    most_at_once: int = 0
    patience: float = 30
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name="open_order")
    async def open_order(self, order: OrderRef) -> OrderBrief:
        self._called("open_order")
        last = self.entries[-1] if self.entries else None
        return OrderBrief(
            number="CO-2026-000042",
            status=last.status_after if last else self.begins,
            version=last.sequence if last else 1,
            is_free=self.is_free,
            terms=self.terms,
        )

    @activity.defn(name="record")
    async def record(self, news: Projection) -> None:
        self.take(news)

    def take(self, news: Projection) -> None:
        """Enter the news."""
        # Like the primary key of the timeline: what has come already is not taken again, and nothing else in its place.
        newest = self.entries[-1].sequence if self.entries else 0
        known = {entry.sequence: entry for entry in self.entries}
        again = [(known[e.sequence], e) for e in news.entries if e.sequence in known]
        if any(first.model_copy(update={"at": second.at}) != second for first, second in again):
            raise TimelineConflict
        self.entries += [entry for entry in news.entries if entry.sequence > newest]
        self._called("record")

    @activity.defn(name="validate_order")
    async def validate_order(self, order: OrderRef) -> ValidationResult:
        self._called("validate_order")
        if (error := self.validation.get(activity.info().attempt)) is not None:
            raise error
        return self.verdict

    @activity.defn(name="plan_suborders")
    async def plan_suborders(self, order: OrderRef) -> int:
        self._called("plan_suborders")
        return len(self.suborders)

    @activity.defn(name="open_suborders")
    async def open_suborders(self, page: SubOrderPage) -> SubOrders:
        self.pages.append(page.after)
        open_ones = [n for n in range(page.after + 1, len(self.suborders) + 1) if n not in self.publications]
        numbers = open_ones[: page.limit]
        briefs = [
            SubOrderBrief(number=n, sku="scenes", files=sum(self.suborders[n - 1]), bytes=1000, delivers=self.delivers)
            for n in numbers
        ]
        total, settled = len(self.suborders), len(self.publications)
        return SubOrders(
            briefs=tuple(briefs), total=total, settled=settled, bytes=1000 * total, bytes_settled=1000 * settled
        )

    @activity.defn(name="stage_files")
    async def stage_files(self, suborder: SubOrderInput) -> StagedFiles:
        self._called("stage_files")
        self.staging.add(suborder.number)
        self.most_at_once = max(self.most_at_once, len(self.staging))
        await self.gate(suborder.number)
        if suborder.number in self.unreadable:
            raise Failed(self.failure.code, self.failure.text)
        available, failed = self.suborders[suborder.number - 1]
        return StagedFiles(attempt=activity.info().attempt, available=available, failed=failed, bytes=1000)

    @activity.defn(name="give_up_files")
    async def give_up_files(self, failed: SubOrderFailed) -> StagedFiles:
        self.given_up[failed.number] = failed.failure
        available, lost = self.suborders[failed.number - 1]
        return StagedFiles(attempt=GIVEN_UP, available=available, failed=lost, bytes=1000)

    @activity.defn(name="publish_suborder")
    async def publish_suborder(self, publication: Publication) -> SubOrderResult:
        self._called("publish_suborder")
        self.publications[publication.number] = publication.attempt
        self.staging.discard(publication.number)
        if self.late:
            raise self.late.pop(0)
        available, failed = self.suborders[publication.number - 1]
        state = SubOrderState.READY if available else SubOrderState.FAILED
        size = 1200 if available else 0
        return SubOrderResult(
            number=publication.number, state=state, available=available, failed=failed, archive_bytes=size
        )

    @activity.defn(name="reopen_files")
    async def reopen_files(self, reopening: Reopening) -> int:
        self.calls["reopen_files"] += 1
        reopened = [n for n, (_, failed) in enumerate(self.suborders, 1) if failed and n in self.publications]
        for number in reopened:
            del self.publications[number]
        lost = sum(self.suborders[n - 1][1] for n in reopened)
        if self.mended:
            self.suborders = [(available + failed, 0) for available, failed in self.suborders]
        return lost

    @activity.defn(name="deliver_suborder")
    async def deliver_suborder(self, suborder: SubOrderInput) -> Delivered:
        self._called("deliver_suborder")
        if (failed := self.undeliverable.get(suborder.number)) is not None:
            raise failed
        self.delivered.append(suborder.number)
        return Delivered(number=suborder.number, bytes=1200)

    @activity.defn(name="give_up_delivery")
    async def give_up_delivery(self, failed: SubOrderFailed) -> None:
        self.given_up[failed.number] = failed.failure

    @activity.defn(name="release_suborders")
    async def release_suborders(self, release: Release) -> Released:
        self._called("release_suborders")
        if release.state is SubOrderState.EXPIRED and self.downloads:
            self.downloads -= 1
            return Released(open_downloads=1, released=0)
        self.released.append(release.state)
        return Released(open_downloads=0, released=self.left)

    @activity.defn(name="tally")
    async def tally(self, order: OrderRef) -> SettlementTotals:
        available, failed = (sum(column) for column in zip(*self.suborders, strict=True))
        failure = next(iter(self.given_up.values()), MISMATCH) if failed else None
        return SettlementTotals(
            files=available + failed,
            failed=failed,
            bytes=1000 * len(self.suborders),
            failure=failure,
            undelivered=len(self.undeliverable),
            too_many=self.too_many,
        )

    @property
    def quick(self) -> list[Callable[..., Any]]:
        """All but staging, which has a queue of its own."""
        return [
            *(self.open_order, self.record, self.validate_order, self.plan_suborders),
            *(self.open_suborders, self.tally, self.give_up_files, self.publish_suborder),
            *(self.reopen_files, self.release_suborders, self.give_up_delivery),
        ]

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        self.moved.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Return as soon as the activities have been called so that the condition holds."""
        async with asyncio.timeout(self.patience):
            while not condition():
                self.moved.clear()
                await self.moved.wait()

    @property
    def events(self) -> list[str]:
        """The events on the timeline, in their order."""
        return [entry.what for entry in self.entries]


@asynccontextmanager
async def playing(client: Client, world: World, **options: Any) -> AsyncIterator[None]:
    """Workers that run the real workflows in this world."""
    options |= ALERT
    async with (
        Worker(
            client,
            task_queue=ORDERS_QUEUE,
            workflows=WORKFLOWS,
            workflow_runner=sandbox(),
            activities=world.quick,
            **options,
        ),
        Worker(client, task_queue=PACKAGING_QUEUE, activities=[world.stage_files], **options),
        Worker(client, task_queue=DELIVERIES_QUEUE, activities=[world.deliver_suborder], **options),
    ):
        yield


@asynccontextmanager
async def acting(client: Client, world: World) -> AsyncIterator[None]:
    """Workers that run the activities of this world, and leave its workflows to `deciding`."""
    async with (
        Worker(client, task_queue=ORDERS_QUEUE, activities=world.quick, **ALERT),
        Worker(client, task_queue=PACKAGING_QUEUE, activities=[world.stage_files], **ALERT),
    ):
        yield


def deciding(client: Client, *interceptors: Interceptor) -> Worker:
    """A worker that runs only workflows, and caches none: no task waits for it when it has stopped."""
    return Worker(
        client,
        task_queue=ORDERS_QUEUE,
        workflows=WORKFLOWS,
        workflow_runner=sandbox(),
        max_cached_workflows=0,
        interceptors=interceptors,
    )


async def end(client: Client, order_id: UUID, world: World) -> None:
    """Terminate the workflows of the order: the next test would be given the activities that this one leaves behind.

    All tests of a process share a server, and its task queues.
    """
    numbers = range(1, len(world.suborders) + 1)
    for workflow_id in [workflow_of(order_id), *(suborder_workflow_id(workflow_of(order_id), n) for n in numbers)]:
        try:
            await client.get_workflow_handle(workflow_id).terminate()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
