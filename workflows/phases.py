"""The handlers of the statuses: what an order does by itself in each, and the transition that results."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.planning import PlanningActivities
    from activities.releasing import ReleasingActivities
    from activities.validation import ValidationActivities
    from models.errors import Failure, FailureCode, Fault
    from models.labels import counted
    from models.messages import Release, SettlementTotals, ValidationResult
    from models.order import Command, Event, OrderStatus, Trigger, settled_event
    from models.suborder import SubOrderState

from workflows.failures import failure_of
from workflows.ledger import EntryFields, Ledger
from workflows.policies import PLAN, TRANSACTION, VALIDATE
from workflows.provisioning import Provisioning
from workflows.state import OrderState

CONTINUE_AFTER_EVENTS = 1_500
"""Continue-as-new happens when no activity is running: far below Temporal's limit of 51,200, and quick to replay."""

DOWNLOADS_CHECKED_EVERY = timedelta(seconds=30)
"""How often an order that has expired checks whether its open downloads have ended."""

S = OrderStatus


@dataclass(frozen=True)
class PhaseResult:
    """What a handler results in: a trigger and why, the end of the workflow, or, if neither, the handler runs again."""

    trigger: Trigger | None = None
    fields: EntryFields = field(default_factory=EntryFields)
    ends_workflow: bool = False


class StatusHandlers:
    """The handler of each status. Each may be cancelled at any await and run again.

    What goes on after an activity has answered calls `Ledger.raise_if_superseded` first.
    """

    def __init__(self, state: OrderState, ledger: Ledger, provisioning: Provisioning) -> None:
        self._state, self._ledger, self._provisioning = state, ledger, provisioning
        self._may_continue = True
        self._handlers: Mapping[OrderStatus, Callable[[], Awaitable[PhaseResult]]] = {
            S.DRAFT: self._draft,
            S.PENDING_PAYMENT: self._payment,
            S.PAYMENT_CONFIRMED: self._start,
            S.VALIDATING: self._validate,
            S.PROVISIONING: self._provision,
            S.PAUSED: self._pause,
            S.FAILED: self._keep,
            S.FULFILLED: self._keep,
            S.FULFILLED_WITH_WARNINGS: self._keep,
        }

    async def handle(self, status: OrderStatus) -> PhaseResult:
        """Run the handler of a status that is not terminal."""
        return await self._handlers[status]()

    async def _draft(self) -> PhaseResult:
        if not await self._until_since(self._state.terms.draft_timeout):
            return PhaseResult()
        text = "The draft was not submitted in time."
        return PhaseResult(Event.ABANDONED, {"reason_code": "abandoned", "reason_text": text})

    async def _payment(self) -> PhaseResult:
        """An order that costs nothing confirms itself; any other waits for its payment."""
        if self._state.is_free:
            return PhaseResult(Command.CONFIRM_PAYMENT, {"reason_code": "free", "reason_text": "Nothing to pay."})
        if not await self._until_since(self._state.terms.payment_timeout):
            return PhaseResult()
        text = "The order was not paid in time."
        return PhaseResult(Event.PAYMENT_TIMED_OUT, {"reason_code": "payment_timeout", "reason_text": text})

    async def _start(self) -> PhaseResult:
        return PhaseResult(Event.STARTED)

    async def _validate(self) -> PhaseResult:
        """Check everything that was ordered, every fault at once, then plan."""
        try:
            verdict = await VALIDATE.execute_in_turn(
                ValidationActivities.validate_order,
                self._state.ref,
                summary="Check that everything ordered is still there",
            )
            self._ledger.raise_if_superseded()
            if verdict.is_refusal:
                return self._refused(_refusal(verdict), verdict.faults)
            planned = await PLAN.execute(
                PlanningActivities.plan_suborders, self._state.ref, summary="Cut the order into sub-orders"
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return self._refused(failure_of(error))
        if not planned:
            text = "the catalogue has lost everything that was ordered"
            return self._refused(Failure(code=FailureCode.NOTHING_TO_ORDER, text=text))
        return PhaseResult(Event.VALIDATED, _partly_gone(verdict))

    def _refused(self, failure: Failure, faults: tuple[Fault, ...] = ()) -> PhaseResult:
        """The order has failed; it waits for a retry until it expires, like any other order that has settled."""
        return PhaseResult(Event.REFUSED, {"failure": failure, "faults": faults, "expires_at": self._renew_expiry()})

    async def _provision(self) -> PhaseResult:
        """Deliver the sub-orders, page by page; the totals of all of them decide how the order has settled."""
        if await self._provisioning.deliver_page():
            return PhaseResult()
        tally = await TRANSACTION.execute(OrderActivities.tally, self._state.ref, summary="Count what came of it")
        too_many = tally.too_many
        event = settled_event(
            tally.files, tally.failed, tally.undelivered + tally.left_out, too_many=too_many is not None
        )
        fields: EntryFields = {"expires_at": self._renew_expiry()}
        if event is Event.SETTLED_FAILED:
            fields["failure"] = too_many or _all_failed(tally)
        if tally.left_out:
            text = f"{counted(tally.left_out, 'file')} that had been ordered could not be delivered any more."
            fields |= {"reason_code": "left_out", "reason_text": text}
        if tally.undelivered:
            text = f"{counted(tally.undelivered, 'archive')} could not be delivered and can be downloaded."
            fields |= {"reason_code": "not_delivered", "reason_text": text}
        return PhaseResult(event, fields)

    async def _pause(self) -> PhaseResult:
        """An order that is paused for longer than allowed expires."""
        if not await self._until_since(self._state.terms.max_pause):
            return PhaseResult()
        if await self._release() is None:
            return await self._check_again()
        text = "The order was paused for too long."
        return PhaseResult(Event.EXPIRED, {"reason_code": "paused_too_long", "reason_text": text})

    async def _keep(self) -> PhaseResult:
        """Keep what was delivered until it expires, remind once, and never cut an open download off."""
        if not await self._until(lambda: self._expiry() - self._state.terms.remind_before):
            return PhaseResult()
        if self._state.terms.remind_before and not self._state.reminded:
            self._state.reminded = True
            self._ledger.note("expiry_reminder", reason_text="The order will expire soon.")
            await self._ledger.flush()
        if not await self._until(self._expiry):
            return PhaseResult()
        if (released := await self._release()) is None:
            return await self._check_again()
        if self._state.status is not S.FAILED and not released:
            return PhaseResult(ends_workflow=True)  # everything was downloaded: the order keeps its status
        return PhaseResult(Event.EXPIRED, {"reason_code": "expired", "reason_text": "The time to download is up."})

    async def _check_again(self) -> PhaseResult:
        """Run the handler again later: downloads are open, and the expiry may have been moved by then."""
        await workflow.sleep(DOWNLOADS_CHECKED_EVERY)
        return PhaseResult()

    async def _until_since(self, span: timedelta) -> bool:
        """Wait until the present status has lasted this long; False where `_until` returns it."""
        point = self._state.since + span
        return await self._until(lambda: point)

    async def _until(self, point: Callable[[], datetime]) -> bool:
        """Wait for an instant that extensions may move; False when the history has grown too long to wait on."""
        status = self._state.status
        while (left := (end := point()) - workflow.now()) > timedelta():
            try:
                await workflow.wait_condition(
                    lambda end=end: point() != end or self._history_is_long(),  # type: ignore[misc]
                    timeout=left,
                )
            except TimeoutError:
                return True
            if self._state.status is not status:
                return False  # a wait whose condition has just come true does not raise the cancel
            if self._history_is_long():
                # A history recorded before the patch continues without it.
                self._may_continue = workflow.patched("2026-11-21-continued-at-rest")
                if self._may_continue:
                    return False
        return True

    def _history_is_long(self) -> bool:
        return self._may_continue and workflow.info().get_current_history_length() > CONTINUE_AFTER_EVENTS

    async def _release(self) -> int | None:
        """Expire what has not been downloaded; how many sub-orders, or None while downloads are open."""
        released = await TRANSACTION.execute(
            ReleasingActivities.release_suborders,
            Release(order_id=self._state.order_id, state=SubOrderState.EXPIRED),
            summary="Release what was not downloaded",
        )
        self._ledger.raise_if_superseded()
        return None if released.open_downloads else released.released

    def _renew_expiry(self) -> datetime:
        return self._state.renew_expiry(workflow.now())

    def _expiry(self) -> datetime:
        return self._state.expires_at or self._renew_expiry()


def _partly_gone(verdict: ValidationResult) -> EntryFields:
    """What the timeline tells of an order that goes on without what is gone, or is other than it was."""
    if not verdict.faults:
        return {}
    failure = _refusal(verdict)
    return {"reason_code": failure.code, "reason_text": failure.text, "faults": verdict.faults}


def _refusal(verdict: ValidationResult) -> Failure:
    """The failure of a refused order: that too much of it is gone, or its first fault and how many more there are."""
    if verdict.failure is not None:
        return verdict.failure
    first, more = verdict.faults[0], verdict.faults_total - 1
    text = first.text if not more else f"{first.text}; and {counted(more, 'more fault')}"
    return Failure(code=FailureCode(first.code), text=text)


def _all_failed(tally: SettlementTotals) -> Failure:
    """The failure of an order of which no file could be delivered: the commonest failure of its files."""
    worst = tally.failure or Failure(code=FailureCode.INTERNAL, text="no file was delivered")
    return Failure(code=worst.code, text=f"None of {counted(tally.files, 'file')} could be delivered: {worst.text}")
