"""The hub: who hears what, in which order, and what becomes of those who are slow or come back."""

import asyncio
from uuid import UUID

import pytest

from api.events.change_event import ChangeEvent, EventFilter
from api.events.hub import RING, Hub, Subscription
from models.listing import Visibility

ALICE, EVERYBODY = EventFilter(Visibility("alice")), EventFilter(Visibility(None))


def change(number: int, order: int = 1, customer: str = "alice", status: str = "validating") -> ChangeEvent:
    return ChangeEvent(id=str(number), order=UUID(int=order), customer=customer, status=status, version=number)


async def flushed(hub: Hub, *changes: ChangeEvent) -> None:
    """Put the changes in and wait until everybody has been told; one who sees all is told last."""
    last = hub.subscribe(EVERYBODY, None)
    await last.take(0)
    for one in changes:
        hub.publish(one)
    await last.take(60)
    hub.unsubscribe(last)


async def taken(subscription: Subscription) -> list[str]:
    """What waits, by event and id; the opening without its instruction to come back."""
    blocks = (await subscription.take(0)).decode().split("\n\n")[:-1]
    said = []
    for block in blocks:
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        said.append(f"{lines.get('event', 'opening')} {lines['id']}")
    return said


async def test_everybody_hears_what_they_may_see_and_nothing_else() -> None:
    hub = Hub()
    alice, bob, support = (hub.subscribe(EventFilter(Visibility(name)), None) for name in ("alice", "bob", None))
    for one in (alice, bob, support):
        await one.take(0)
    await flushed(hub, change(1), change(2, order=2, customer="bob"))
    assert await taken(alice) == ["order 1"]
    assert await taken(bob) == ["order 2"]
    assert await taken(support) == ["order 1", "order 2"]


async def test_a_filter_leaves_out_other_orders_and_statuses() -> None:
    hub = Hub()
    one = hub.subscribe(EventFilter(Visibility("alice"), frozenset({UUID(int=1)}), frozenset({"failed"})), None)
    await one.take(0)
    await flushed(hub, change(1, status="failed"), change(2, order=2, status="failed"))
    assert await taken(one) == ["order 1"]
    await flushed(hub, change(3))
    assert await taken(one) == []


async def test_several_changes_of_an_order_in_a_moment_are_one_event() -> None:
    hub = Hub()
    alice = hub.subscribe(ALICE, None)
    await alice.take(0)
    await flushed(hub, change(1), change(2, order=2), change(3), change(4))
    assert await taken(alice) == ["order 2", "order 4"]


async def test_who_comes_back_gets_what_was_missed() -> None:
    hub = Hub()
    await flushed(hub, change(1), change(2, order=2), change(3, order=3, customer="bob"), change(4, order=4))
    assert await taken(hub.subscribe(ALICE, "2")) == ["opening 2", "order 4"]
    assert await taken(hub.subscribe(ALICE, "4")) == ["opening 4"]


async def test_who_comes_back_with_the_position_of_the_opening_misses_nothing() -> None:
    hub = Hub()
    first = hub.subscribe(ALICE, None)
    start = hub.position
    assert await taken(first) == [f"opening {start}"]
    await flushed(hub, change(1))
    assert await taken(hub.subscribe(ALICE, start)) == [f"opening {start}", "order 1"]


@pytest.mark.parametrize("last_id", ["0", "999", "start-ffffff", "x"])
async def test_who_comes_back_too_late_or_from_elsewhere_has_to_load_anew(last_id: str) -> None:
    hub = Hub()
    await flushed(hub, *(change(n, order=n) for n in range(1, RING + 10)))
    newest = str(RING + 9)
    assert await taken(hub.subscribe(ALICE, last_id)) == [f"opening {newest}", f"resync {newest}"]


async def test_the_ring_holds_the_last_changes_and_no_more() -> None:
    hub = Hub()
    await flushed(hub, *(change(n, order=n) for n in range(1, RING + 11)))
    assert len(await taken(hub.subscribe(ALICE, "11"))) == RING
    assert "resync" in (await taken(hub.subscribe(ALICE, "10")))[1]


async def test_a_client_that_takes_nothing_costs_a_bounded_queue_and_is_told_to_load_anew() -> None:
    hub = Hub()
    slow, quick = hub.subscribe(ALICE, None), hub.subscribe(ALICE, None)
    await quick.take(0)
    for batch in range(4):
        numbers = range(batch * RING + 1, batch * RING + RING)
        await flushed(hub, *(change(n, order=n) for n in numbers))
        assert len(await taken(quick)) == RING - 1
    said = await taken(slow)
    assert len(said) <= RING
    assert said[0].startswith("resync")


async def test_after_a_lost_connection_everybody_loads_anew_and_old_positions_are_worth_nothing() -> None:
    hub = Hub()
    alice = hub.subscribe(ALICE, None)
    await flushed(hub, change(1))
    hub.reset()
    assert await taken(alice) == [f"resync {hub.position}"]
    assert (await taken(hub.subscribe(ALICE, "1")))[1] == f"resync {hub.position}"


async def test_a_closed_hub_ends_those_who_wait_and_those_who_come() -> None:
    hub = Hub()
    alice = hub.subscribe(ALICE, None)
    await alice.take(0)
    waiting = asyncio.create_task(alice.take(60))
    await asyncio.sleep(0)
    hub.close()
    assert await waiting == b""
    assert not alice.open
    assert not hub.subscribe(ALICE, None).open


async def test_the_hub_forgets_who_has_gone() -> None:
    hub = Hub()
    several = [hub.subscribe(ALICE, None) for _ in range(3)]
    assert len(hub) == 3
    for one in several:
        hub.unsubscribe(one)
    assert len(hub) == 0
