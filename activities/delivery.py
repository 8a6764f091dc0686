"""Delivery: writes a published archive to the customer's destination once, and records the result."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities.settling import AlreadySettled
from activities.storage_work import StorageWork, WorkerPools
from models.destination import DeliveryState, key_of
from models.labels import size_in_words
from models.messages import Delivered, SubOrderFailed, SubOrderInput
from models.packaging import Contents, layout_of
from models.queries import destinations as queries
from models.queries import orders
from models.queries.blockers import clear_of_suborder
from models.status_facts import AVAILABLE_SUBORDERS
from models.tables import Delivery, Destination, Order, SubOrder
from services.archive_contents import contents_of
from storage.archive.members import members_of
from storage.archive.virtual import Blocks, Member
from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from storage.sources.registry import Sources
from storage.targets.protocol import ArchiveUpload, Target, refused
from storage.targets.registry import DeliveryTargets
from temporal.heartbeat import heartbeating


class DeliveryStopped(Exception):
    """The delivery was stopped before its end; nothing is left at the destination."""


class _Job(NamedTuple):
    order: Order
    suborder: SubOrder
    contents: Contents
    destination: Destination


@dataclass(frozen=True)
class DeliveringActivities:
    """Brings archives to destinations."""

    sessions: async_sessionmaker[AsyncSession]
    delivery_targets: DeliveryTargets
    sources: Sources = field(default_factory=Sources)
    pool: StoragePool = field(default_factory=lambda: WorkerPools().delivering)

    @activity.defn
    async def deliver_suborder(self, suborder: SubOrderInput) -> Delivered:
        """Deliver an archive, the very bytes that a download gives; what was delivered already stays as it is."""
        found = await self._job(suborder)
        if isinstance(found, Delivery):
            return Delivered(number=suborder.number, bytes=found.size_bytes or 0)
        place, key = found.destination.place, self._key(found)
        size, etag = found.suborder.archive_bytes or 0, found.suborder.archive_etag or ""
        upload = ArchiveUpload(key, size, etag, found.order.number, suborder.number)
        target = self.delivery_targets.target(place, found.destination.credentials, found.destination.owner)
        members = members_of(self.sources.at(found.suborder.location), found.contents.files)
        storage = Bulkhead.of_source(found.suborder.location)
        there = Bulkhead.of_destination(place, self.delivery_targets.root_of(place, found.destination.owner))
        work = StorageWork(self.pool, self.sessions)
        async with work.turn(suborder, storage, there) as held:
            delivering = _DeliveryRun(found, members, upload, target, _Way(storage, there, held.moved))
            call = held.start(delivering.run)
            try:
                await work.attend(call, delivering.tell, delivering.waits_for)
            finally:
                delivering.stop.set()
                # Parts that are on their way have to arrive before the upload can be taken back.
                await work.stopped(call, delivering.tell, delivering.waits_for)
        async with self.sessions.begin() as session:
            order_id, number = suborder.order_id, suborder.number
            settled = queries.settle_delivery(
                order_id, number, etag=upload.etag, location=place.location(delivering.key), size=upload.size
            )
            await session.execute(settled)
            marked = await session.execute(queries.mark_delivered(order_id, number, upload.etag))
            if marked.one_or_none() is not None:
                await session.execute(queries.mark_files_delivered(order_id, number))
        return Delivered(number=suborder.number, bytes=upload.size)

    @activity.defn
    @heartbeating()
    async def give_up_delivery(self, failed: SubOrderFailed) -> None:
        """Note that an archive could not be delivered; it can still be downloaded."""
        async with self.sessions.begin() as session:
            await session.execute(queries.settle_delivery(failed.order_id, failed.number, failure=failed.failure))
            await session.execute(clear_of_suborder(failed.order_id, failed.number))

    async def _job(self, given: SubOrderInput) -> "_Job | Delivery":
        """What there is to do, or the delivery that was made already."""
        order_id, number = given.order_id, given.number
        async with self.sessions.begin() as session:
            order = (await session.execute(orders.order_by_id(order_id))).scalar_one()
            suborder = (await session.execute(orders.suborder(order_id, number))).scalar_one()
            if suborder.state not in AVAILABLE_SUBORDERS:
                raise AlreadySettled
            before = (await session.execute(queries.delivery_of(order_id, number))).scalar_one_or_none()
            if before and before.state == DeliveryState.DELIVERED and before.etag == suborder.archive_etag:
                return before
            destination = (await session.execute(queries.destination_of_order(order_id))).scalar_one_or_none()
            if destination is None:
                raise refused(f"the destination {order.destination_name} was removed")
            contents = await contents_of(session, order_id, number)
        return _Job(order, suborder, contents, destination)

    def _key(self, job: _Job) -> str:
        prefix, number, label = job.destination.prefix, job.order.number, job.order.label
        return key_of(prefix, self.delivery_targets.filename, number=number, label=label, suborder=job.suborder.number)


class _Way(NamedTuple):
    """From where to where an archive is brought, and who hears that it moves."""

    storage: Bulkhead
    destination: Bulkhead
    moved: Callable[[], None]


class _DeliveryRun:
    """One delivery in a worker thread."""

    def __init__(self, job: _Job, members: list[Member], upload: ArchiveUpload, target: Target, way: _Way) -> None:
        self._job, self._members, self._archive, self._target, self._way = job, members, upload, target, way
        self._sent = 0
        self._waits_for = way.destination
        self.key = upload.key
        self.stop = Event()

    def run(self) -> None:
        """Deliver everything; ends early, with DeliveryStopped, when told to stop."""
        job = self._job
        layout = layout_of(job.order.number, job.suborder.number, *job.contents)
        if layout.etag != self._archive.etag:
            raise RuntimeError(f"archive {job.order.number}/{job.suborder.number} is not as it was sealed")
        with Blocks(layout, self._members) as blocks:
            self.key = self._target.deliver(self._archive, self._watched(blocks))

    def waits_for(self) -> Bulkhead:
        """Which side is to move next."""
        return self._waits_for

    async def tell(self) -> None:
        """Tell Temporal that the delivery is alive, and in the words of its UI where it is."""
        activity.heartbeat(f"{size_in_words(self._sent)} of {size_in_words(self._archive.size)} delivered")

    def _watched(self, blocks: Blocks) -> Iterator[memoryview]:
        while (block := self._read(blocks)) is not None:
            if self.stop.is_set():
                raise DeliveryStopped
            self._sent += len(block)
            yield block

    def _read(self, blocks: Blocks) -> memoryview | None:
        self._turn_to(self._way.storage)
        try:
            return blocks.read()
        finally:
            self._turn_to(self._way.destination)

    def _turn_to(self, side: Bulkhead) -> None:
        self._waits_for = side
        self._way.moved()
