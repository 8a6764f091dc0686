"""Acting on the orders of a bulk: whoever dies meanwhile, each order hears it once; permission is asked late."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.bulk import BulkActivities
from activities.recovery import GRACE, RecoveryActivities
from cli.dev.ports import any_free
from models.access import Caller
from models.listing import OrderFilter, Visibility
from models.messages import BulkPage, BulkPageDone, BulkRef, CommandRequest, bulk_workflow_id
from models.order import Command, OrderStatus
from models.queries import bulk as queries
from models.queries import orders as order_queries
from models.queries.users import upsert_user
from models.tables import AccessToken, Bulk, BulkItem, Order, User
from temporal.commands import command_order
from temporal.converter import DATA_CONVERTER
from temporal.start import OrderStart, start_order
from tests.activities.builders import Sessions
from tests.api.running_orders import working
from tests.factories import add_order, add_product
from tests.services.catalogue_sources import rows

MARIA = Caller("maria")
ITEMS = "SELECT result, code FROM bulk_items ORDER BY order_id"
TOLD = "SELECT what, details->>'bulk' IS NOT NULL FROM timeline ORDER BY order_id, sequence"


@pytest.fixture
async def product(sessions: Sessions, tmp_path: Path) -> None:
    await add_product(sessions, tmp_path, "dear", {"o": {"a.tif": b"12345"}}, price=Decimal(5))
    await person(sessions, "customer")


@pytest.fixture
async def client(temporal: WorkflowEnvironment, sessions: Sessions) -> AsyncIterator[Client]:
    """A client, with workers that have the orders obey."""
    async with working(temporal.client, sessions):
        yield temporal.client


@pytest.fixture
async def away() -> Client:
    """A client of a Temporal that is not there."""
    return await Client.connect(f"127.0.0.1:{any_free()}", data_converter=DATA_CONVERTER, lazy=True)


async def person(sessions: Sessions, *roles: str) -> None:
    """Who asks for the bulks, as they are known from now on."""
    async with sessions.begin() as session:
        now = datetime.now(UTC)
        await session.execute(
            upsert_user(User(id="maria", issuer="i", subject="m", roles=list(roles), groups=[], asserted_at=now))
        )


async def living(sessions: Sessions, client: Client, caller: Caller = MARIA) -> Order:
    """An order that waits for its payment."""
    order = await add_order(sessions, {"dear": "all"}, caller=caller)
    await start_order(client, OrderStart(order, ["dear"]))
    async with sessions.begin() as session:
        await session.execute(order_queries.mark_started(order.id, datetime.now(UTC)))
    return order


async def frozen(
    sessions: Sessions, command: str = "cancel", *, visible: Visibility | None = None, **more: Any
) -> Bulk:
    """A bulk of all visible orders."""
    async with sessions.begin() as session:
        bulk = Bulk(customer="maria", actor=MARIA.actor, command=command, **more)
        session.add(bulk)
        await session.flush()
        chosen = queries.chosen(visible or Visibility("maria"), OrderFilter(), None)
        await session.execute(queries.freeze(bulk.id, chosen))
        await session.execute(queries.count_items(bulk.id))
    return bulk


async def work(
    sessions: Sessions, client: Client, bulk: Bulk, *, patience: float = 15.0, pause: float = 1.0
) -> BulkPageDone:
    activities = BulkActivities(sessions, client, patience=patience, pause=pause)
    return await ActivityEnvironment().run(activities.work_bulk, BulkPage(bulk_id=bulk.id))


async def close(sessions: Sessions, client: Client, bulk: Bulk) -> BulkPageDone:
    activities = BulkActivities(sessions, client)
    return await ActivityEnvironment().run(activities.close_bulk, BulkRef(bulk_id=bulk.id))


async def sent(sessions: Sessions, *, cancelled: bool = False) -> None:
    """Somebody has died right after it had noted that it was about to ask the orders."""
    async with sessions.begin() as session:
        await session.execute(sa.update(BulkItem).values(sent_at=datetime.now(UTC)))
        if cancelled:
            await session.execute(sa.update(Bulk).values(cancelled_at=datetime.now(UTC)))


def asked(bulk: Bulk, order: Order) -> CommandRequest:
    """The very request that the bulk makes."""
    return CommandRequest(id=f"bulk-{bulk.id}-{order.id}", command=Command.CANCEL, actor=MARIA.actor, bulk_id=bulk.id)


async def over(client: Client, order: Order) -> None:
    """Return when the workflow of the order has ended."""
    await client.get_workflow_handle(order.workflow_id).result()


async def test_a_page_that_is_worked_on_twice_is_worked_on_once(
    sessions: Sessions, client: Client, product: None
) -> None:
    for _ in range(3):
        await living(sessions, client)
    bulk = await frozen(sessions)
    first = await work(sessions, client, bulk)
    again = await work(sessions, client, bulk)
    assert (first.done, first.total, again.last) == (3, 3, None)
    assert await rows(sessions, TOLD) == [("submitted", False), ("cancelled", True)] * 3
    closed = [await close(sessions, client, bulk) for _ in range(2)]
    assert closed[0] == closed[1] == BulkPageDone(done=3, total=3)


async def test_two_who_work_on_the_same_page_do_it_once_between_them(
    sessions: Sessions, client: Client, product: None
) -> None:
    for _ in range(4):
        await living(sessions, client)
    bulk = await frozen(sessions)
    await asyncio.gather(*(work(sessions, client, bulk) for _ in range(3)))
    assert await rows(sessions, TOLD) == [("submitted", False), ("cancelled", True)] * 4
    assert await rows(sessions, "SELECT done, skipped, failed FROM bulks") == [(4, 0, 0)]


@pytest.mark.parametrize("ended", [False, True])
async def test_what_was_obeyed_before_a_crash_is_done_and_not_asked_again(
    sessions: Sessions, client: Client, product: None, ended: bool
) -> None:
    order = await living(sessions, client)
    bulk = await frozen(sessions)
    await sent(sessions)
    await command_order(client, order.workflow_id, asked(bulk, order))
    if ended:
        await over(client, order)
    assert (await work(sessions, client, bulk)).done == 1
    assert await rows(sessions, TOLD) == [("submitted", False), ("cancelled", True)]


async def test_what_was_about_to_be_asked_when_somebody_died_is_asked(
    sessions: Sessions, client: Client, product: None
) -> None:
    await living(sessions, client)
    bulk = await frozen(sessions)
    await sent(sessions)
    assert (await work(sessions, client, bulk)).done == 1
    assert await rows(sessions, TOLD) == [("submitted", False), ("cancelled", True)]


async def test_a_cancelled_bulk_still_finds_out_what_was_under_way_and_skips_the_rest(
    sessions: Sessions, client: Client, product: None
) -> None:
    order = await living(sessions, client)
    await living(sessions, client)
    bulk = await frozen(sessions)
    async with sessions.begin() as session:
        mine = sa.update(BulkItem).where(col(BulkItem.order_id) == order.id)
        await session.execute(mine.values(sent_at=datetime.now(UTC)))
        await session.execute(sa.update(Bulk).values(cancelled_at=datetime.now(UTC)))
    await command_order(client, order.workflow_id, asked(bulk, order))
    assert (await work(sessions, client, bulk)).done == 1
    assert await close(sessions, client, bulk) == BulkPageDone(done=1, skipped=1, total=2)
    assert await rows(sessions, ITEMS) == [("done", None), ("skipped", "bulk_cancelled")]
    assert await rows(sessions, "SELECT status FROM orders ORDER BY id") == ["cancelled", "pending_payment"]


async def test_who_may_is_asked_when_the_order_has_its_turn(sessions: Sessions, client: Client, product: None) -> None:
    await living(sessions, client)
    await living(sessions, client, Caller("somebody"))
    await person(sessions, "customer", "admin")
    bulk = await frozen(sessions, visible=Visibility(None))
    await person(sessions, "customer", "support")
    await work(sessions, client, bulk)
    assert await rows(sessions, ITEMS) == [("done", None), ("skipped", "forbidden")]
    assert await rows(sessions, "SELECT status FROM orders ORDER BY id") == ["cancelled", "pending_payment"]


ENDED = {
    "no role any more": "UPDATE people SET roles = '{}'",
    "signed out everywhere": "UPDATE people SET signed_out_at = now() + interval '1 second'",
    "access token revoked": "UPDATE access_tokens SET revoked_at = now()",
    "nobody": "DELETE FROM people",
}


@pytest.mark.parametrize("statement", ENDED.values(), ids=ENDED)
async def test_a_bulk_stops_when_its_owner_has_lost_the_right(
    sessions: Sessions, away: Client, product: None, statement: str
) -> None:
    for label in "ab":
        await add_order(sessions, {"dear": "all"}, caller=MARIA, label=label)
    now = datetime.now(UTC)
    token = AccessToken(customer="maria", name="n", secret_hash=b"s", scopes=["order"], created_at=now, expires_at=now)
    async with sessions.begin() as session:
        session.add(token)
        await session.flush()
        await session.refresh(token)
    bulk = await frozen(sessions, "label", label="{label}!", scopes=["order"], access_token=token.id)
    async with sessions.begin() as session:
        await session.execute(sa.text(statement))
    assert (await work(sessions, away, bulk)).done == 0
    assert await close(sessions, away, bulk) == BulkPageDone(skipped=2, total=2)
    assert await rows(sessions, ITEMS) == [("skipped", "rights_ended")] * 2
    (why,) = await rows(sessions, "SELECT stopped_why FROM bulks WHERE cancelled_at IS NOT NULL")
    assert why
    assert await rows(sessions, "SELECT label FROM orders ORDER BY id") == ["a", "b"]


async def test_a_bulk_outlives_the_time_of_its_token_and_a_sign_out_before_it(
    sessions: Sessions, away: Client, product: None
) -> None:
    await add_order(sessions, {"dear": "all"}, caller=MARIA, label="a")
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE people SET signed_out_at = now() - interval '1 second'"))
    bulk = await frozen(sessions, "label", label="{label}!")
    assert (await work(sessions, away, bulk)).done == 1


async def test_a_token_allows_no_more_than_it_did(sessions: Sessions, client: Client, product: None) -> None:
    await living(sessions, client)
    await living(sessions, client, Caller("somebody"))
    await person(sessions, "admin")
    bulk = await frozen(sessions, visible=Visibility(None), scopes=["order", "read"])
    await work(sessions, client, bulk)
    assert await rows(sessions, ITEMS) == [("done", None), ("skipped", "forbidden")]


async def test_a_label_is_changed_once(sessions: Sessions, away: Client, product: None) -> None:
    await add_order(sessions, {"dear": "all"}, caller=MARIA, label="mine")
    bulk = await frozen(sessions, "label", label="{label}!")
    for _ in range(2):
        await work(sessions, away, bulk)
    assert await rows(sessions, "SELECT label FROM orders") == ["mine!"]


async def test_nothing_is_lost_while_temporal_is_away(
    sessions: Sessions, client: Client, away: Client, product: None
) -> None:
    await living(sessions, client)
    bulk = await frozen(sessions)
    with pytest.raises(ApplicationError) as raised:
        await work(sessions, away, bulk)
    assert (raised.value.type, raised.value.non_retryable) == ("temporal_unavailable", False)
    assert await rows(sessions, ITEMS) == [(None, None)]
    assert (await work(sessions, client, bulk)).done == 1


async def test_an_order_that_does_not_answer_costs_the_others_nothing(
    sessions: Sessions, temporal: WorkflowEnvironment, product: None
) -> None:
    mute = await living(sessions, temporal.client)
    await add_order(sessions, {"dear": "all"}, caller=MARIA, label="over")
    async with sessions.begin() as session:
        mine = sa.update(Order).where(col(Order.id) != mute.id)
        await session.execute(mine.values(status=OrderStatus.FULFILLED))
    bulk = await frozen(sessions)
    found = await work(sessions, temporal.client, bulk, patience=0.2, pause=0.0)
    await temporal.client.get_workflow_handle(mute.workflow_id).terminate()
    assert (found.failed, found.skipped) == (1, 1)
    assert ("failed", "no_answer") in await rows(sessions, ITEMS)


async def test_a_mistake_with_one_order_costs_that_one(sessions: Sessions, away: Client, product: None) -> None:
    await add_order(sessions, {"dear": "all"}, caller=MARIA, label="mine")
    bulk = await frozen(sessions, "label", label="{label}!")
    async with sessions.begin() as session:
        await session.execute(sa.text("ALTER TABLE orders ADD CONSTRAINT odd CHECK (label <> 'mine!') NOT VALID"))
    try:
        found = await work(sessions, away, bulk)
    finally:
        async with sessions.begin() as session:
            await session.execute(sa.text("ALTER TABLE orders DROP CONSTRAINT odd"))
    assert (found.done, found.skipped, found.failed) == (0, 0, 1)
    assert await rows(sessions, ITEMS) == [("failed", "internal")]


async def test_the_reconciler_starts_what_has_not_ended_and_no_other(
    sessions: Sessions, temporal: WorkflowEnvironment, product: None
) -> None:
    old = datetime.now(UTC) - GRACE * 2
    lost, young, ended = [await frozen(sessions, created_at=at) for at in (old, datetime.now(UTC), old)]
    async with sessions.begin() as session:
        await session.execute(sa.update(Bulk).where(col(Bulk.id) == ended.id).values(finished_at=old))
    activities = RecoveryActivities(sessions, temporal.client)
    for _ in range(2):
        await ActivityEnvironment().run(activities.start_missing_orders)
    assert await is_running(temporal.client, lost.id)
    for other in (young, ended):
        assert not await is_running(temporal.client, other.id)
    # Terminated by somebody, it comes back: a bulk is cancelled by the API.
    await temporal.client.get_workflow_handle(bulk_workflow_id(lost.id)).terminate()
    await ActivityEnvironment().run(activities.start_missing_orders)
    assert await is_running(temporal.client, lost.id)
    await temporal.client.get_workflow_handle(bulk_workflow_id(lost.id)).terminate()


async def is_running(client: Client, bulk_id: UUID) -> bool:
    try:
        there = await client.get_workflow_handle(bulk_workflow_id(bulk_id)).describe()
    except RPCError:
        return False
    return there.status is not None and there.status.name == "RUNNING"


async def test_all_bulks_of_a_worker_share_its_places(sessions: Sessions, away: Client, product: None) -> None:
    for number in range(12):
        await add_order(sessions, {"dear": "all"}, caller=MARIA, label=f"{number}")
    first, second = [await frozen(sessions, "label", label=f"{{label}}{end}") for end in "ab"]
    activities = BulkActivities(sessions, away, asyncio.Semaphore(1))
    pages = [BulkPage(bulk_id=bulk.id) for bulk in (first, second)]
    found = await asyncio.gather(*(ActivityEnvironment().run(activities.work_bulk, page) for page in pages))
    assert [page.done for page in found] == [12, 12]
    labels = await rows(sessions, "SELECT label FROM orders")
    assert {(label[:-2], *sorted(label[-2:])) for label in labels} == {(f"{number}", "a", "b") for number in range(12)}
