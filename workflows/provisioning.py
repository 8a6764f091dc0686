"""Provisioning: runs the sub-orders of an order as children, a few at a time, and keeps count of them."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import SearchAttributePair as Pair
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import ChildWorkflowError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.publishing import PublishingActivities
    from activities.releasing import ReleasingActivities
    from activities.staging import StagingActivities
    from models.errors import Failure
    from models.messages import (
        OrderRef,
        Publication,
        Reopening,
        SubOrderBrief,
        SubOrderFailed,
        SubOrderInput,
        SubOrderPage,
        SubOrderResult,
        SubOrders,
        suborder_workflow_id,
    )
    from models.suborder import SubOrderState
    from temporal import search_attributes as attributes

from workflows.delivery import hand_over
from workflows.details import order_details, suborder_summary
from workflows.failures import failure_of, root_type
from workflows.ledger import Ledger
from workflows.policies import PUBLISH, TRANSACTION
from workflows.suborder import SubOrderWorkflow

PAGE = 100
"""Sub-orders asked for at once, and at most started by one piece of work: then the history is looked at."""

IN_FLIGHT = 8
"""Sub-orders of one order under way at once: enough to keep the disks busy, few enough to leave others room."""

ORPHANS_LOOKED_AT = timedelta(seconds=2)
"""How often is looked whether a sub-order that a lost workflow has left behind has let go of its files."""


class Provisioning:
    """The sub-orders of one order."""

    def __init__(self, order: OrderRef, ledger: Ledger) -> None:
        self._order, self._ledger = order, ledger
        self._briefs: dict[int, SubOrderBrief] = {}
        self._results: dict[int, SubOrderResult] = {}
        self.failed_files = 0
        self.reopen: tuple[int, ...] | None = None
        self.refused = ""

    async def deliver_page(self) -> bool:
        """Deliver the next unsettled sub-orders; whether there may be more of them."""
        await self._reopen_failed()
        # Whatever was under way before a pause is asked for again.
        self._briefs = {n: brief for n, brief in self._briefs.items() if n in self._results}
        page = await self._next_page()
        self._ledger.check_turn()
        deliveries: list[asyncio.Task[None]] = []
        try:
            for brief in page.briefs:
                await workflow.wait_condition(lambda: len(self._under_way()) < IN_FLIGHT)
                self._results.pop(brief.number, None)
                self._briefs[brief.number] = brief
                deliveries.append(asyncio.create_task(self._deliver(brief)))
            await asyncio.gather(*deliveries)
        except (asyncio.CancelledError, Exception):
            # Paused or cancelled: no child may outlive this, and each tells first what it has achieved.
            for delivery in deliveries:
                delivery.cancel()
            await asyncio.gather(*deliveries, return_exceptions=True)
            raise
        return len(page.briefs) == PAGE

    async def _reopen_failed(self) -> None:
        """After a retry: failed files are pending again, their sub-orders planned."""
        if self.reopen is None:
            return
        count = await TRANSACTION.execute(
            ReleasingActivities.reopen_files,
            Reopening(order_id=self._order.order_id, seqs=self.reopen),
            summary="Make failed files pending again",
        )
        self.reopen = None
        self._count_failed(-count)

    async def _next_page(self) -> SubOrders:
        return await TRANSACTION.execute(
            OrderActivities.open_suborders,
            SubOrderPage(order_id=self._order.order_id, after=0, limit=PAGE),
            summary="Which sub-orders are next",
        )

    def _under_way(self) -> set[int]:
        return self._briefs.keys() - self._results.keys()

    async def _deliver(self, brief: SubOrderBrief) -> None:
        """Make one sub-order ready, and hand its archive over where it has a destination."""
        if brief.published:
            self._results[brief.number] = SubOrderResult(
                number=brief.number, state=SubOrderState.READY, available=brief.files, failed=0
            )
        else:
            await self._make(brief)
        made = self._results.get(brief.number)
        self._ledger.check_turn()
        if brief.delivers and made is not None and made.state is SubOrderState.READY:
            await hand_over(self._order, brief.number, self._ledger)

    async def _make(self, brief: SubOrderBrief) -> None:
        """Run one sub-order to its end and enter what came of it."""
        self.show()
        try:
            result = await self._run_alone(brief)
        except ChildWorkflowError as error:
            # Not the task is asked: where the cancel found the child still starting, temporalio has taken it back.
            if is_cancelled_exception(error) and self._ledger.is_overtaken:
                raise
            if root_type(error) == "nothing_to_make":
                return
            # Somebody ended the child from outside: what it had not delivered has failed, the rest goes out.
            result = await self._give_up(brief, failure_of(error))
        self._results[brief.number] = result
        self._count_failed(result.failed)
        details = {"available": result.available, "failed": result.failed, "archive_bytes": result.archive_bytes}
        self._ledger.note(f"suborder_{result.state}", suborder=brief.number, details=details)
        await self._ledger.flush()
        self.show()

    async def _run_alone(self, brief: SubOrderBrief) -> SubOrderResult:
        """Run the sub-order, after the one that a lost workflow of the order may have left: that is being cancelled."""
        while True:
            try:
                return await self._run_child(brief)
            except WorkflowAlreadyStartedError:
                await workflow.sleep(ORPHANS_LOOKED_AT)

    async def _run_child(self, brief: SubOrderBrief) -> SubOrderResult:
        return await workflow.execute_child_workflow(
            SubOrderWorkflow.run,
            SubOrderInput(order_id=self._order.order_id, number=brief.number),
            id=suborder_workflow_id(self._order.order_id, brief.number),
            static_summary=suborder_summary(self._ledger.number, brief),
            search_attributes=TypedSearchAttributes([Pair(attributes.NUMBER, self._ledger.number)]),
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
        )

    async def _give_up(self, brief: SubOrderBrief, failure: Failure) -> SubOrderResult:
        order_id, number = self._order.order_id, brief.number
        staged = await PUBLISH.execute(
            StagingActivities.give_up_files,
            SubOrderFailed(order_id=order_id, number=number, failure=failure),
            summary=f"Give the rest of sub-order {number} up: {failure.code}",
        )
        return await PUBLISH.execute(
            PublishingActivities.publish_suborder,
            Publication(order_id=order_id, number=number, attempt=staged.attempt),
            summary=f"Seal what sub-order {number} has",
        )

    def lost(self, count: int) -> None:
        """Files that had been delivered have failed afterwards."""
        self._count_failed(count)

    def _count_failed(self, change: int) -> None:
        if change:
            self.failed_files = max(self.failed_files + change, 0)
            workflow.upsert_search_attributes([attributes.ERRORS.value_set(self.failed_files)])

    def show(self) -> None:
        """Tell the Temporal UI how things are."""
        details = order_details(self._ledger.number, self._ledger.status, self._briefs, self._results)
        workflow.set_current_details(f"{details}\n\nLast refused: {self.refused}" if self.refused else details)
