"""What the facade tells a running order: entered once, and a fulfilled order that lost files may be retried."""

from temporalio.testing import WorkflowEnvironment

from models.messages import NOTICE_SIGNAL, OutboxEventMessage
from models.order import Command, OrderStatus
from tests.workflows.fakes import World
from tests.workflows.running_orders import LONG, running, shown

CHANGED = {"reason_code": "source_changed", "reason_text": "a.tif has changed"}


async def test_a_download_is_entered_once_and_lost_files_turn_fulfilled_into_with_warnings(
    temporal: WorkflowEnvironment,
) -> None:
    async with running(temporal.client, "notices", World(terms=LONG)) as order:
        await order.reached(OrderStatus.FULFILLED)
        downloaded = OutboxEventMessage(id="n1", what="suborder_downloaded", suborder=1, actor="customer:ann")
        for _ in range(2):
            await order.handle.signal(NOTICE_SIGNAL, downloaded)
        for number in (2, 3):
            lost = downloaded.model_copy(
                update={"id": f"n{number}", "what": "files_lost", "details": {"failed": 1}, **CHANGED}
            )
            await order.handle.signal(NOTICE_SIGNAL, lost)
        await order.world.until(lambda: order.world.events.count("files_lost") == 2)
        assert order.world.events[-3:] == ["suborder_downloaded", "files_lost", "files_lost"]
        assert order.world.entries[-2].status_before is OrderStatus.FULFILLED
        assert {entry.status_after for entry in order.world.entries[-2:]} == {OrderStatus.FULFILLED_WITH_WARNINGS}
        assert order.world.entries[-1].details == {"failed": 1, "notice": "n3"}
        lines = (await shown(order.handle, "**failed, 2 files failed**: ")).splitlines()
        assert lines[-3].endswith("**failed, 2 files failed**: a.tif has changed (source_changed)")
        assert lines[-1].startswith("**Next** (source_changed): ")
        assert (await order.command(Command.RETRY)).status is OrderStatus.PROVISIONING
