"""Orders with a destination: delivered after they are ready, and no failure of a destination takes an archive away."""

from uuid import NAMESPACE_OID, uuid5

from temporalio.testing import WorkflowEnvironment

from activities.settling import AlreadySettled
from models.errors import Failed, FailureCode
from temporal.start import OrderStart, start_order
from tests.workflows.fakes import World, an_order, end, playing, workflow_of

REFUSED = Failed(FailureCode.DESTINATION_REFUSED, "the bucket does not take it (NoSuchBucket)")


async def play(environment: WorkflowEnvironment, name: str, world: World) -> World:
    """The world when its order has ended."""
    order_id = uuid5(NAMESPACE_OID, f"delivering-{name}")
    async with playing(environment.client, world):
        await start_order(environment.client, OrderStart(an_order(order_id), ["scenes"]))
        await environment.client.get_workflow_handle(workflow_of(order_id)).result()
    await end(environment.client, order_id, world)
    return world


async def test_each_archive_is_delivered_after_it_is_ready_and_before_the_order_settles(
    temporal: WorkflowEnvironment,
) -> None:
    world = await play(temporal, "good", World(suborders=[(2, 0), (1, 0)], delivers=True))
    assert sorted(world.delivered) == [1, 2]
    for number in (1, 2):
        told = [entry.what for entry in world.entries if entry.suborder == number]
        assert told == ["suborder_ready", "suborder_delivered"]
    settled = world.events.index("settled")
    assert all(world.events.index(what) < settled for what in ("suborder_ready", "suborder_delivered"))


async def test_an_order_without_a_destination_delivers_nothing(temporal: WorkflowEnvironment) -> None:
    world = await play(temporal, "none", World())
    assert world.calls["deliver_suborder"] == 0


async def test_what_a_destination_refuses_is_a_warning_and_the_rest_is_delivered(temporal: WorkflowEnvironment) -> None:
    world = World(suborders=[(2, 0), (1, 0)], delivers=True, undeliverable={1: REFUSED})
    await play(temporal, "refused", world)
    assert world.delivered == [2]
    assert world.given_up == {1: REFUSED.failure}
    (told,) = [entry for entry in world.entries if entry.what == "suborder_not_delivered"]
    assert (told.suborder, told.failure) == (1, REFUSED.failure)
    (settled,) = [entry for entry in world.entries if entry.what == "settled_with_failures"]
    assert (settled.reason_code, settled.reason_text) == (
        "not_delivered",
        "1 archive could not be delivered and can be downloaded.",
    )


async def test_a_sub_order_that_failed_has_nothing_to_deliver(temporal: WorkflowEnvironment) -> None:
    world = await play(temporal, "failed", World(suborders=[(0, 2), (1, 0)], delivers=True))
    assert world.delivered == [2]


async def test_an_order_that_ended_meanwhile_delivers_nothing_more(temporal: WorkflowEnvironment) -> None:
    world = World(suborders=[(1, 0)], delivers=True, undeliverable={1: AlreadySettled()})
    await play(temporal, "over", world)
    assert world.given_up == {}
    assert "suborder_not_delivered" not in world.events
