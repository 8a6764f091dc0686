"""Storages and destinations that hang: their work gives its place back, and everybody else's goes on."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore

import pytest

from activities.delivery import DeliveringActivities
from activities.planning import PlanningActivities
from activities.staging import StagingActivities
from activities.storage_work import WorkerPools
from activities.validation import ValidationActivities
from models.destination import DestinationLocation
from models.errors import Failed, FailureCode
from models.messages import OrderRef
from models.tables import Order
from models.verify import Verify
from storage.bulkheads import Bulkhead
from storage.pool import Held, StoragePool
from storage.sources.local import LocalReader, LocalSource
from storage.sources.registry import Sources
from storage.targets.protocol import ArchiveUpload, Target
from storage.targets.registry import DeliveryTargets
from tests.activities.builders import SCENES, Sessions, attempt_of, files_in, first_of, planned, run
from tests.activities.test_delivery import to_folder
from tests.factories import add_order, add_product
from tests.services.catalogue_sources import rows

LOST = FailureCode.SOURCE_UNAVAILABLE
PATIENCE = 0.3


class Share:
    """Folders of which one hangs in every read while it is cut off."""

    def __init__(self, hung: Path) -> None:
        self.hung, self.answers, self.asked = hung, Event(), Semaphore(0)
        self.sources = Sources({"file": self._source})
        self.storage = Bulkhead.of_source(str(hung))

    def _source(self, uri: str) -> LocalSource:
        source = LocalSource.at(uri)
        return _Hung(self, self.hung) if uri == self.hung.as_uri() else source


class _Hung(LocalSource):
    def __init__(self, share: Share, root: Path) -> None:
        super().__init__(root)
        self._share = share

    def _reader(self, href: str) -> LocalReader:
        self._share.asked.release()
        self._share.answers.wait()
        return super()._reader(href)


class HungTargets(DeliveryTargets):
    """Destinations that take nothing before the event."""

    answers = Event()

    def target(self, place: DestinationLocation, sealed: str | None, owner: str) -> Target:
        return self

    def deliver(self, upload: ArchiveUpload, blocks: Iterator[memoryview]) -> str:
        self.answers.wait()
        return upload.key

    def probe(self) -> None:
        """Nothing to be seen."""


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Share]:
    found = Share(tmp_path / "hung")
    yield found
    found.answers.set()


@pytest.fixture
def pools() -> WorkerPools:
    return WorkerPools(PATIENCE)


@pytest.fixture
async def order(sessions: Sessions, share: Share) -> Order:
    """An order of everything that lies on the share."""
    return await planned(sessions, share.hung)


async def test_a_storage_that_gives_no_byte_is_unavailable_and_its_place_is_free_again(
    sessions: Sessions, share: Share, order: Order, pools: WorkerPools
) -> None:
    activities = StagingActivities(sessions, share.sources, Verify.ALWAYS, pools.staging)
    with pytest.raises(Failed, match=r"the storage hung has not answered for 0\.3 s") as caught:
        await run(activities.stage_files, first_of(order))
    assert (caught.value.failure.code, caught.value.failure.retryable) == (LOST, True)
    assert pools.staging.held() == {share.storage: Held(given_up=1)}
    assert set(await files_in(sessions, "state")) == {"pending"}
    share.answers.set()
    patient = StagingActivities(sessions, share.sources, Verify.ALWAYS)
    assert (await run(patient.stage_files, first_of(order), attempt=2)).available == 3


async def test_six_orders_of_a_hung_share_leave_places_for_everybody_else(
    sessions: Sessions, share: Share, order: Order, tmp_path: Path
) -> None:
    pool = StoragePool("staging", 4)
    activities = StagingActivities(sessions, share.sources, Verify.ALWAYS, pool)
    six = [order, *[await planned_of(sessions, "scenes") for _ in range(5)]]
    await add_product(sessions, tmp_path / "good", "charts", SCENES)
    other = await planned_of(sessions, "charts")
    staging = [asyncio.create_task(run(activities.stage_files, first_of(one))) for one in six]
    for _ in range(pool.share):
        await asyncio.to_thread(share.asked.acquire)
    assert (await run(activities.stage_files, first_of(other))).available == 3
    assert pool.held()[share.storage].running == 2
    share.answers.set()
    assert [staged.available for staged in await asyncio.gather(*staging)] == [3] * 6


async def planned_of(sessions: Sessions, sku: str) -> Order:
    """An order of all of a product, cut into sub-orders."""
    order = await add_order(sessions, {sku: "all"})
    await run(PlanningActivities(sessions).plan_suborders, OrderRef(order_id=order.id))
    return order


async def test_what_waits_for_its_turn_says_for_what_and_goes_on(
    sessions: Sessions, share: Share, order: Order
) -> None:
    pool = StoragePool("staging", 2, patience=3)
    ahead = pool.ask(share.storage)
    activities = StagingActivities(sessions, Sources(), Verify.ALWAYS, pool)
    environment, heard = attempt_of(1), list[str]()
    environment.on_heartbeat = heard.append
    environment.info = replace(environment.info, activity_type="stage_files")
    waiting = asyncio.create_task(environment.run(activities.stage_files, first_of(order)))
    while not (noted := await rows(sessions, "SELECT code, text, next_try_at FROM troubles")):
        ahead.moved()
        await asyncio.sleep(0.02)
    assert noted == [("source_busy", "the storage hung is busy with 1 other", None)]
    assert set(heard) == {"waits for its turn at the storage hung"}
    ahead.leave()
    assert (await waiting).available == 3
    assert await rows(sessions, "SELECT code FROM troubles") == []


async def test_who_waits_behind_what_hangs_does_not_wait_for_ever(
    sessions: Sessions, share: Share, order: Order
) -> None:
    pool = StoragePool("staging", 2, patience=PATIENCE)
    pool.submit(share.answers.wait, share.storage)
    with pytest.raises(Failed) as caught:
        await run(StagingActivities(sessions, share.sources, pool=pool).stage_files, first_of(order))
    assert caught.value.failure.code is LOST


async def test_a_pause_does_not_wait_for_what_hangs(
    sessions: Sessions, share: Share, order: Order, pools: WorkerPools
) -> None:
    environment = attempt_of(1)
    activities = StagingActivities(sessions, share.sources, Verify.ALWAYS, pools.staging)
    staging = asyncio.create_task(environment.run(activities.stage_files, first_of(order)))
    await asyncio.to_thread(share.asked.acquire)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await staging
    assert pools.staging.held() == {share.storage: Held(given_up=1)}


async def test_a_look_that_hangs_is_unavailable(
    sessions: Sessions, share: Share, order: Order, pools: WorkerPools
) -> None:
    activities = ValidationActivities(sessions, share.sources, pools.looking)
    with pytest.raises(Failed, match="has not answered") as caught:
        await run(activities.validate_order, OrderRef(order_id=order.id))
    assert caught.value.failure.code is LOST
    assert pools.looking.held() == {share.storage: Held(given_up=1)}


async def test_a_delivery_says_which_side_hangs(sessions: Sessions, tmp_path: Path, pools: WorkerPools) -> None:
    order, delivering = await to_folder(sessions, tmp_path)
    share = Share(tmp_path / "archive")
    activities = DeliveringActivities(sessions, delivering.delivery_targets, share.sources, pools.delivering)
    with pytest.raises(Failed) as caught:
        await run(activities.deliver_suborder, first_of(order))
    share.answers.set()
    assert caught.value.failure.code is LOST

    targets = HungTargets(delivering.delivery_targets.allowed)
    slow = DeliveringActivities(sessions, targets, pool=StoragePool("delivering", 2, patience=0.02))
    with pytest.raises(Failed) as caught:
        await run(slow.deliver_suborder, first_of(order))
    targets.answers.set()
    assert caught.value.failure.code is FailureCode.DESTINATION_UNAVAILABLE
