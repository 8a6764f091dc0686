"""Validation of an order: everything that is wrong with it, at once."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities.storage_work import StorageWork, WorkerPools
from models.errors import Failed, FailureCode, Fault
from models.messages import OrderRef, ValidationResult
from models.queries import known_checksums, orders, selections
from models.queries.access import closed_products
from models.queries.selections import Deliverable, SelectedFile
from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from storage.sources.protocol import Source, written_to
from storage.sources.registry import Sources

MAX_FAULTS = 1_000
"""Faults listed one by one; the rest is only counted, for a payload has its limit."""

_BATCH = 2_000


@dataclass(frozen=True)
class ValidationActivities:
    """Checks an order against the catalogue and the storage."""

    sessions: async_sessionmaker[AsyncSession]
    sources: Sources = field(default_factory=Sources)
    pool: StoragePool = field(default_factory=lambda: WorkerPools().looking)

    @activity.defn
    async def validate_order(self, order: OrderRef) -> ValidationResult:
        """Find every fault of an order, which is refused where nothing of it can be delivered, or less than it allows.

        Raises Failed where a storage does not answer at all.
        """
        faults = _Faults()
        async with self.sessions() as session:
            ordered = (await session.execute(orders.order_by_id(order.order_id))).scalar_one()
            policy, total = ordered.failure_policy, ordered.files_ordered
            deliverable = await find_deliverable(session, order.order_id)
            faults.extend(await _catalogue_faults(session, order.order_id, deliverable))
        count = good = 0
        async for batch in self._selected(order.order_id, deliverable):
            for location, group in groupby(batch, key=attrgetter("location")):
                files = list(group)
                found, written = await self._storage_faults(order, location, files, count)
                found += await self._unproven(written)
                faults.extend(found)
                count += len(files)
                good += len(files) - len(found)
        if not count and not deliverable.closed:
            text = "nothing is left to order: the catalogue has no file of what was selected"
            faults.extend([Fault(field="items", code=FailureCode.NOTHING_TO_ORDER, text=text)])
        too_many = policy.too_many(total - good, total) if good else None
        refused = not good or too_many is not None or (policy.refuses and faults.total > 0)
        listed = tuple(faults.listed)
        return ValidationResult(faults=listed, faults_total=faults.total, refused=refused, failure=too_many)

    async def _storage_faults(
        self, order: OrderRef, location: str, files: Sequence[SelectedFile], count: int
    ) -> tuple[list[Fault], list[SelectedFile]]:
        async def tell() -> None:
            activity.heartbeat(count)

        storage, work = Bulkhead.of_source(location), StorageWork(self.pool, self.sessions)
        async with work.turn(order, storage) as place:
            call = place.start(partial(_storage_faults, self.sources.at(location), files, place.moved))
            return await work.attend(call, tell, storage)

    async def _selected(self, order_id: UUID, deliverable: Deliverable) -> AsyncIterator[list[SelectedFile]]:
        """Files of an order in batches; between them nothing of the database is held, however slow the storage is."""
        seq, name = 0, ""
        while True:
            query = selections.selected_files_after(order_id, deliverable, seq, name, limit=_BATCH)
            async with self.sessions() as session:
                rows = (await session.execute(query)).all()
            if not rows:
                return
            *_, seq = rows[-1]
            batch = [SelectedFile(*file) for *file, _ in rows]
            name = batch[-1].name
            yield batch

    async def _unproven(self, written: Sequence[SelectedFile]) -> list[Fault]:
        """Faults of files that were written to, unless an earlier read can prove that they are still the same."""
        if not written:
            return []
        async with self.sessions() as session:
            query = known_checksums.known_among([file.file_id for file in written])
            known = set((await session.execute(query)).scalars())
        unproven = [(_name(file), written_to(_name(file))) for file in written if file.file_id not in known]
        return [_fault(name, failed.failure.code, failed.failure.text) for name, failed in unproven]


class _Faults:
    """Faults, the first thousand in full."""

    def __init__(self) -> None:
        self.listed: list[Fault] = []
        self.total = 0

    def extend(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.total += 1
            if self.total <= MAX_FAULTS:
                self.listed.append(fault)


async def find_deliverable(session: AsyncSession, order_id: UUID) -> Deliverable:
    """What of an order may still be delivered. Planning asks the same, so that the two agree."""
    ordered_at = (await session.execute(orders.ordered_at(order_id))).scalar_one()
    return Deliverable(ordered_at, list((await session.execute(closed_products(order_id))).scalars()))


async def _catalogue_faults(session: AsyncSession, order_id: UUID, deliverable: Deliverable) -> list[Fault]:
    """What the catalogue has lost or changed since the order was placed."""
    lost = await session.execute(selections.vanished(order_id, limit=MAX_FAULTS))
    changed = await session.execute(selections.changed_since(order_id, deliverable.ordered_at, limit=MAX_FAULTS))
    return (
        [
            _fault(f"{sku}/{name}", FailureCode.UNKNOWN_ID, f"{sku}/{name} is no longer in the catalogue")
            for sku, name in lost
        ]
        + [
            _fault(
                sku,
                FailureCode.UNKNOWN_ID,
                f"{sku} is not open to the customer of this order; ask its owner for access",
            )
            for sku in deliverable.closed
        ]
        + [
            _fault(
                name,
                FailureCode.CATALOGUE_CHANGED,
                f"{name} has changed in the catalogue since it was ordered; order it again",
            )
            for (name,) in changed
        ]
    )


def _storage_faults(
    source: Source, files: Sequence[SelectedFile], moved: Callable[[], None]
) -> tuple[list[Fault], list[SelectedFile]]:
    """What the storage no longer has as the catalogue says, and files that were written to and promised nothing.

    One that was promised a checksum is proven by it when it is staged. It blocks, so call it in a thread.
    """
    faults, written = [], []
    source.check_available()
    for file in files:
        moved()
        try:
            found = source.stat(file.href)
        except Failed as failed:
            if failed.failure.retryable:
                raise
            faults.append(_fault(_name(file), failed.failure.code, f"{_name(file)}: {failed.failure.text}"))
            continue
        if found.size != file.size_bytes:
            text = f"{_name(file)} has {found.size} bytes where the catalogue says {file.size_bytes}"
            faults.append(_fault(_name(file), FailureCode.SIZE_MISMATCH, text))
        elif found.modified_ns != file.modified_ns and file.sha256 is None:
            written.append(file)
    return faults, written


def _name(file: SelectedFile) -> str:
    return f"{file.object_name}/{file.name}"


def _fault(field: str, code: FailureCode, text: str) -> Fault:
    return Fault(field=field, code=code, text=text)
