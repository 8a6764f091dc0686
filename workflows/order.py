"""The order workflow: the life of one order, from its payment to its last archive."""

import asyncio

from temporalio import workflow
from temporalio.common import SearchAttributePair as Pair
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities import search_attributes as attributes
    from activities.orders import OrderActivities
    from activities.planning import PlanningActivities
    from activities.validation import ValidationActivities
    from models.errors import Failure, FailureCode
    from models.labels import counted
    from models.messages import (
        ORDER_WORKFLOW,
        OrderInput,
        OrderRef,
        SubOrderBrief,
        SubOrderInput,
        SubOrderPage,
        SubOrderResult,
        Tally,
        Verdict,
        suborder_workflow_id,
    )
    from models.order import Command, Event, OrderStatus, settled_event

from workflows.details import order_details, suborder_summary
from workflows.failures import failure_of
from workflows.ledger import Ledger
from workflows.policies import PLAN, READ, VALIDATE
from workflows.suborder import SubOrderWorkflow

PAGE = 100
"""Sub-orders asked for at once."""

IN_FLIGHT = 8
"""Sub-orders of one order under way at once: enough to keep the disks busy, few enough to leave others room."""


@workflow.defn(name=ORDER_WORKFLOW)
class OrderWorkflow:
    """One order. Owns its status; PostgreSQL shows it."""

    @workflow.init
    def __init__(self, order: OrderInput) -> None:
        self._order = OrderRef(order_id=order.order_id)
        self._ledger = Ledger(order.order_id)
        self._is_free = False
        self._briefs: dict[int, SubOrderBrief] = {}
        self._results: dict[int, SubOrderResult] = {}
        self._failed_files = 0

    @workflow.run
    async def run(self, order: OrderInput) -> str:
        """Fulfil the order; the result is its last status."""
        await self._open()
        await self._paid()
        await self._ledger.advance(Event.STARTED)
        if await self._validated():
            await self._provision()
            await self._settle()
        self._show()
        return self._ledger.status

    async def _open(self) -> None:
        """Learn what was ordered."""
        brief = await workflow.execute_activity_method(
            OrderActivities.open_order, self._order, summary="Look up the order", **READ
        )
        self._is_free = brief.is_free
        self._ledger.open(brief)
        self._show()

    async def _paid(self) -> None:
        """An order that costs nothing confirms itself; any other waits for its payment."""
        if self._ledger.status is OrderStatus.PENDING_PAYMENT and self._is_free:
            await self._ledger.advance(Command.CONFIRM_PAYMENT, reason_code="free", reason_text="Nothing to pay")
        await workflow.wait_condition(lambda: self._ledger.status is OrderStatus.PAYMENT_CONFIRMED)

    async def _validated(self) -> bool:
        """Check everything that was ordered; every fault is told at once."""
        self._show()
        try:
            verdict = await workflow.execute_activity_method(
                ValidationActivities.validate_order,
                self._order,
                summary="Check that everything ordered is still there",
                **VALIDATE,
            )
            if not verdict.faults:
                await workflow.execute_activity_method(
                    PlanningActivities.plan_suborders, self._order, summary="Cut the order into sub-orders", **PLAN
                )
        except ActivityError as error:
            await self._ledger.advance(Event.REFUSED, failure=failure_of(error))
            return False
        if verdict.faults:
            await self._ledger.advance(Event.REFUSED, failure=_refusal(verdict), faults=verdict.faults)
            return False
        await self._ledger.advance(Event.VALIDATED)
        return True

    async def _provision(self) -> None:
        """Deliver every sub-order that has not settled, a few at a time."""
        self._show()
        after, deliveries = 0, set[asyncio.Task[None]]()
        while True:
            page = await workflow.execute_activity_method(
                OrderActivities.open_suborders,
                SubOrderPage(order_id=self._order.order_id, after=after, limit=PAGE),
                summary=f"Sub-orders behind {after}",
                **READ,
            )
            for brief in page.briefs:
                await workflow.wait_condition(lambda: len(self._under_way()) < IN_FLIGHT)
                self._briefs[brief.number] = brief
                deliveries.add(asyncio.create_task(self._deliver(brief)))
            if len(page.briefs) < PAGE:
                break
            after = page.briefs[-1].number
        await asyncio.gather(*deliveries)

    def _under_way(self) -> set[int]:
        return self._briefs.keys() - self._results.keys()

    async def _deliver(self, brief: SubOrderBrief) -> None:
        """Run one sub-order to its end and enter what came of it."""
        self._show()
        result = await workflow.execute_child_workflow(
            SubOrderWorkflow.run,
            SubOrderInput(order_id=self._order.order_id, number=brief.number),
            id=suborder_workflow_id(self._order.order_id, brief.number),
            static_summary=suborder_summary(self._ledger.number, brief),
            search_attributes=TypedSearchAttributes([Pair(attributes.NUMBER, self._ledger.number)]),
        )
        self._results[brief.number] = result
        self._failed_files += result.failed
        if result.failed:
            workflow.upsert_search_attributes([attributes.ERRORS.value_set(self._failed_files)])
        details = {"available": result.available, "failed": result.failed, "archive_bytes": result.archive_bytes}
        self._ledger.note(f"suborder_{result.state}", suborder=brief.number, details=details)
        await self._ledger.flush()
        self._show()

    async def _settle(self) -> None:
        """Conclude from what all sub-orders came to."""
        tally = await workflow.execute_activity_method(
            OrderActivities.tally, self._order, summary="Count what came of it", **READ
        )
        event = settled_event(tally.files, tally.failed)
        failure = _all_failed(tally) if event is Event.SETTLED_FAILED else None
        await self._ledger.advance(event, failure=failure)

    def _show(self) -> None:
        workflow.set_current_details(
            order_details(self._ledger.number, self._ledger.status, self._briefs, self._results)
        )


def _refusal(verdict: Verdict) -> Failure:
    """All faults in one sentence: the first, and how many more there are."""
    first, more = verdict.faults[0], verdict.faults_total - 1
    text = first.text if not more else f"{first.text}; and {counted(more, 'more fault')}"
    return Failure(code=FailureCode(first.code), text=text)


def _all_failed(tally: Tally) -> Failure:
    """Why an order failed none of whose files could be delivered."""
    worst = tally.failure or Failure(code=FailureCode.INTERNAL, text="no file was delivered")
    return Failure(code=worst.code, text=f"None of {counted(tally.files, 'file')} could be delivered: {worst.text}")
