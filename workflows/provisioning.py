"""Provisioning: runs the sub-orders of an order as child workflows, a few at a time, and counts what fails."""

import asyncio
from dataclasses import replace
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
    from models.errors import Failure, FailureCode
    from models.messages import (
        BlockerNote,
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

from workflows.delivery import deliver_archive
from workflows.details import BlockedStep, OrderPicture, PartsProgress, order_details, suborder_summary
from workflows.failures import failure_of, root_type
from workflows.ledger import Ledger
from workflows.policies import PUBLISH, TRANSACTION
from workflows.state import OrderState
from workflows.suborder import SubOrderWorkflow

PAGE = 100
"""Sub-orders that one run of the handler asks for and starts; after each the length of the history is checked."""

IN_FLIGHT = 8
"""Sub-orders of one order that run at once: enough to keep the disks busy, few enough to leave others room."""

ORPHANS_CHECKED_EVERY = timedelta(seconds=2)
"""How often to try whether a sub-order that a lost workflow of the order has left behind has ended."""


class Provisioning:
    """The sub-orders of one order."""

    def __init__(self, state: OrderState, ledger: Ledger) -> None:
        self._state, self._ledger = state, ledger
        self._briefs: dict[int, SubOrderBrief] = {}
        self._results: dict[int, SubOrderResult] = {}
        self._blockers: dict[int, BlockedStep] = {}
        self._progress = PartsProgress()

    async def deliver_page(self) -> bool:
        """Deliver the next unsettled sub-orders; returns whether there may be more of them."""
        await self._reopen_failed()
        # Sub-orders that were running before a pause are asked for again.
        self._briefs = {n: brief for n, brief in self._briefs.items() if n in self._results}
        page = await self._next_page()
        self._ledger.raise_if_superseded()
        deliveries: list[asyncio.Task[None]] = []
        try:
            for brief in page.briefs:
                await workflow.wait_condition(lambda: len(self._running()) < IN_FLIGHT)
                self._results.pop(brief.number, None)
                self._briefs[brief.number] = brief
                deliveries.append(asyncio.create_task(self._deliver(brief)))
            await asyncio.gather(*deliveries)
        except (asyncio.CancelledError, Exception):
            # Paused or cancelled: no child may outlive this, and each reports its result first.
            for delivery in deliveries:
                delivery.cancel()
            await asyncio.gather(*deliveries, return_exceptions=True)
            raise
        return len(page.briefs) == PAGE

    async def _reopen_failed(self) -> None:
        """After a retry: failed files are pending again, their sub-orders planned."""
        if self._state.reopen is None:
            return
        count = await TRANSACTION.execute(
            ReleasingActivities.reopen_files,
            Reopening(order_id=self._state.order_id, seqs=self._state.reopen),
            summary="Make failed files pending again",
        )
        self._state.reopen = None
        self.count_failed(-count)

    async def _next_page(self) -> SubOrders:
        page = await TRANSACTION.execute(
            OrderActivities.open_suborders,
            SubOrderPage(order_id=self._state.order_id, after=0, limit=PAGE),
            summary="Which sub-orders are next",
        )
        begun, before = self._progress.begun_at or workflow.now(), self._progress.bytes_before
        self._progress = PartsProgress(
            total=page.total,
            settled=page.settled,
            bytes=page.bytes,
            bytes_settled=page.bytes_settled,
            begun_at=begun,
            bytes_before=before if self._progress.begun_at else page.bytes_settled,
        )
        return page

    def _running(self) -> set[int]:
        return self._briefs.keys() - self._results.keys()

    async def _deliver(self, brief: SubOrderBrief) -> None:
        """Make one sub-order ready, and deliver its archive where it has a destination."""
        if brief.published:
            self._results[brief.number] = SubOrderResult(
                number=brief.number, state=SubOrderState.READY, available=brief.files, failed=0
            )
        else:
            await self._make(brief)
        made = self._results.get(brief.number)
        self._ledger.raise_if_superseded()
        if brief.delivers and made is not None and made.state is SubOrderState.READY:
            await deliver_archive(self._state.order_id, brief.number, self._ledger)
            self._unblock(brief.number)

    async def _make(self, brief: SubOrderBrief) -> None:
        """Run one sub-order to its end and note its result."""
        self.show()
        try:
            result = await self._run_alone(brief)
        except ChildWorkflowError as error:
            # The ledger decides, not `task.cancelling()`: if the child was still starting, temporalio has reset that.
            if is_cancelled_exception(error) and self._ledger.is_superseded:
                raise
            if root_type(error) == "nothing_to_make":
                return
            # Somebody ended the child from outside: files it had not staged have failed, the rest is published.
            result = await self._give_up(brief, failure_of(error))
        self._results[brief.number] = result
        progress = self._progress
        settled, size = progress.settled + 1, min(progress.bytes_settled + brief.bytes, progress.bytes)
        self._progress = replace(progress, settled=min(settled, progress.total), bytes_settled=size)
        self._unblock(brief.number)
        self.count_failed(result.failed)
        details = {"available": result.available, "failed": result.failed, "archive_bytes": result.archive_bytes}
        self._ledger.note(f"suborder_{result.state}", suborder=brief.number, details=details)
        await self._ledger.flush()
        self.show()

    async def _run_alone(self, brief: SubOrderBrief) -> SubOrderResult:
        """Run the sub-order, if need be after its run under a lost workflow of the order, which is being cancelled."""
        while True:
            try:
                return await self._run_child(brief)
            except WorkflowAlreadyStartedError:
                await workflow.sleep(ORPHANS_CHECKED_EVERY)

    async def _run_child(self, brief: SubOrderBrief) -> SubOrderResult:
        return await workflow.execute_child_workflow(
            SubOrderWorkflow.run,
            SubOrderInput(order_id=self._state.order_id, number=brief.number),
            id=suborder_workflow_id(workflow.info().workflow_id, brief.number),
            static_summary=suborder_summary(self._state.number, brief),
            search_attributes=TypedSearchAttributes([Pair(attributes.NUMBER, self._state.number)]),
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
        )

    async def _give_up(self, brief: SubOrderBrief, failure: Failure) -> SubOrderResult:
        order_id, number = self._state.order_id, brief.number
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

    def count_failed(self, change: int) -> None:
        """Count files that have failed, or were reopened, and tell Temporal."""
        if change:
            self._state.count_failed(change)
            workflow.upsert_search_attributes([attributes.ERRORS.value_set(self._state.errors)])

    def lose(self, number: int | None, files: int, reason: tuple[str | None, str | None]) -> None:
        """Files of an archive were lost before it was downloaded, by this code and text: there is none any more."""
        self.count_failed(files)
        if number is None or (known := self._results.get(number)) is None:
            return
        code, text = reason
        # A newer facade may know codes that this version does not.
        failure = Failure(code=FailureCode(code), text=text or "") if code in set(FailureCode) else known.failure
        lost = {"state": SubOrderState.FAILED, "available": max(known.available - files, 0), "archive_bytes": 0}
        self._results[number] = known.model_copy(update={**lost, "failed": known.failed + files, "failure": failure})
        self.show()

    def show_blocker(self, note: BlockerNote) -> None:
        """Show what is tried again, of the order or of a sub-order of it."""
        known = self._blockers.get(note.number)
        since = known.since if known and known.note.step == note.step else workflow.now()
        self._blockers[note.number] = BlockedStep(note, since)
        self.show()

    def forget_blockers(self) -> None:
        """A status has begun: whatever held up what came before is over, and what is left is estimated afresh."""
        self._blockers.clear()
        self._progress = replace(self._progress, begun_at=None)

    def _unblock(self, number: int) -> None:
        if self._blockers.pop(number, None) is not None:
            self.show()

    def show(self) -> None:
        """Show the state of the order and its sub-orders in the Temporal UI."""
        state = self._state
        picture = OrderPicture(
            number=state.number,
            status=state.status,
            since=state.since,
            now=workflow.now(),
            is_free=state.is_free,
            failure=state.failure,
            faults=state.faults,
            expires_at=state.expires_at,
            progress=self._progress,
            briefs=self._briefs,
            results=self._results,
            blockers=self._blockers,
            refused=state.refused,
        )
        workflow.set_current_details(order_details(picture))
