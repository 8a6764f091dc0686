"""The works: what an order does by itself in each status, and what that leads to."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.planning import PlanningActivities
    from activities.releasing import ReleasingActivities
    from activities.validation import ValidationActivities
    from models.errors import Failure, FailureCode, Fault
    from models.labels import counted
    from models.messages import Extension, OrderBrief, OrderRef, Release, Tally, Terms, Verdict
    from models.order import Command, Event, OrderStatus, Trigger, settled_event
    from models.suborder import SubOrderState

from workflows.failures import failure_of
from workflows.ledger import Ledger
from workflows.policies import PLAN, TRANSACTION, VALIDATE
from workflows.provisioning import Provisioning

CONTINUE_AFTER_EVENTS = 1_500
"""History is cut where nothing is under way: far from Temporal's 51,200, and quick to replay."""

DOWNLOADS_LOOKED_AT = timedelta(seconds=30)
"""How often an order whose time is up looks whether its open downloads have ended."""

S = OrderStatus


@dataclass(frozen=True)
class Conclusion:
    """What a piece of work leads to: a trigger and why, the end of the workflow, or another look."""

    trigger: Trigger | None = None
    why: Mapping[str, Any] = field(default_factory=dict)
    over: bool = False


class Works:
    """The work of each status. Each may be cancelled at any await and begun again.

    Whatever goes on after an activity has answered asks `Ledger.check_turn` first.
    """

    def __init__(self, order: OrderRef, ledger: Ledger, provisioning: Provisioning) -> None:
        self._order, self._ledger, self._provisioning = order, ledger, provisioning
        self._is_free = False
        self._terms = Terms()
        self._may_continue = True
        self.reminded = False
        self.expires_at: datetime | None = None
        self._work: Mapping[OrderStatus, Callable[[], Awaitable[Conclusion]]] = {
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

    def open(self, brief: OrderBrief) -> None:
        """Learn what was ordered and on which terms."""
        self._is_free, self._terms = brief.is_free, brief.terms
        self.expires_at, self.reminded = brief.expires_at, brief.reminded

    async def of(self, status: OrderStatus) -> Conclusion:
        """Do the work of a status that is not the last."""
        return await self._work[status]()

    async def _draft(self) -> Conclusion:
        if not await self._until_since(self._terms.draft_timeout):
            return Conclusion()
        text = "The draft was not submitted in time."
        return Conclusion(Event.ABANDONED, {"reason_code": "abandoned", "reason_text": text})

    async def _payment(self) -> Conclusion:
        """An order that costs nothing confirms itself; any other waits for its payment."""
        if self._is_free:
            why = {"reason_code": "free", "reason_text": "Nothing to pay."}
            return Conclusion(Command.CONFIRM_PAYMENT, why)
        if not await self._until_since(self._terms.payment_timeout):
            return Conclusion()
        text = "The order was not paid in time."
        return Conclusion(Event.PAYMENT_TIMED_OUT, {"reason_code": "payment_timeout", "reason_text": text})

    async def _start(self) -> Conclusion:
        return Conclusion(Event.STARTED)

    async def _validate(self) -> Conclusion:
        """Check everything that was ordered, every fault at once, then plan."""
        try:
            verdict = await VALIDATE.execute(
                ValidationActivities.validate_order, self._order, summary="Check that everything ordered is still there"
            )
            self._ledger.check_turn()
            if verdict.faults:
                return self._refused(_refusal(verdict), verdict.faults)
            planned = await PLAN.execute(
                PlanningActivities.plan_suborders, self._order, summary="Cut the order into sub-orders"
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return self._refused(failure_of(error))
        if not planned:
            text = "the catalogue has lost everything that was ordered"
            return self._refused(Failure(code=FailureCode.NOTHING_TO_ORDER, text=text))
        return Conclusion(Event.VALIDATED)

    def _refused(self, failure: Failure, faults: tuple[Fault, ...] = ()) -> Conclusion:
        """The order has failed; it waits for a retry until its time is up, like any other that has settled."""
        return Conclusion(Event.REFUSED, {"failure": failure, "faults": faults, "expires_at": self._new_expiry()})

    async def _provision(self) -> Conclusion:
        """Deliver the sub-orders, page by page; with the last one, conclude from what all of them came to."""
        if await self._provisioning.deliver_page():
            return Conclusion()
        tally = await TRANSACTION.execute(OrderActivities.tally, self._order, summary="Count what came of it")
        event = settled_event(tally.files, tally.failed, tally.undelivered)
        why: dict[str, Any] = {"failure": _all_failed(tally)} if event is Event.SETTLED_FAILED else {}
        if tally.undelivered:
            text = f"{counted(tally.undelivered, 'archive')} could not be delivered and can be downloaded."
            why = {"reason_code": "not_delivered", "reason_text": text, **why}
        return Conclusion(event, {**why, "expires_at": self._new_expiry()})

    async def _pause(self) -> Conclusion:
        """Paused for longer than it may, an order expires."""
        if not await self._until_since(self._terms.max_pause):
            return Conclusion()
        if await self._release() is None:
            return await self._look_again()
        text = "The order was paused for too long."
        return Conclusion(Event.EXPIRED, {"reason_code": "paused_too_long", "reason_text": text})

    async def _keep(self) -> Conclusion:
        """Keep what was delivered until its time is up, remind once, and never cut an open download off."""
        if not await self._until(lambda: self._end() - self._terms.remind_before):
            return Conclusion()
        if self._terms.remind_before and not self.reminded:
            self.reminded = True
            self._ledger.note("expiry_reminder", reason_text="The order will expire soon.")
            await self._ledger.flush()
        if not await self._until(self._end):
            return Conclusion()
        if (released := await self._release()) is None:
            return await self._look_again()
        if self._ledger.status is not S.FAILED and not released:
            return Conclusion(over=True)  # everything was downloaded: the order stays what it is
        return Conclusion(Event.EXPIRED, {"reason_code": "expired", "reason_text": "The time to download is up."})

    async def _look_again(self) -> Conclusion:
        """Downloads are open: nothing is cut off, and the end may have been moved when they are looked at again."""
        await workflow.sleep(DOWNLOADS_LOOKED_AT)
        return Conclusion()

    async def _until_since(self, span: timedelta) -> bool:
        """Wait until the present status has lasted for so long; False as `_until` says."""
        point = self._ledger.since + span
        return await self._until(lambda: point)

    async def _until(self, point: Callable[[], datetime]) -> bool:
        """Wait for a point, wherever extensions move it; False when the history has grown too long to wait on."""
        status = self._ledger.status
        while (left := (end := point()) - workflow.now()) > timedelta():
            try:
                await workflow.wait_condition(
                    lambda end=end: point() != end or self._has_outgrown(),  # type: ignore[misc]
                    timeout=left,
                )
            except TimeoutError:
                return True
            if self._ledger.status is not status:
                return False  # a wait that has just been fulfilled does not notice that it was cancelled
            if self._has_outgrown():
                # A history of before goes on as it began.
                self._may_continue = workflow.patched("2026-11-21-continued-at-rest")
                if self._may_continue:
                    return False
        return True

    def _has_outgrown(self) -> bool:
        return self._may_continue and workflow.info().get_current_history_length() > CONTINUE_AFTER_EVENTS

    async def _release(self) -> int | None:
        """Expire what has not been downloaded; how many sub-orders, or None while downloads are open."""
        released = await TRANSACTION.execute(
            ReleasingActivities.release_suborders,
            Release(order_id=self._order.order_id, state=SubOrderState.EXPIRED),
            summary="Release what was not downloaded",
        )
        self._ledger.check_turn()
        return None if released.open_downloads else released.released

    def _new_expiry(self) -> datetime:
        self.expires_at = workflow.now() + self._terms.keep_for
        self.reminded = False
        return self.expires_at

    def _end(self) -> datetime:
        return self.expires_at or self._new_expiry()

    def check_extension(self, extension: Extension) -> None:
        """Refuse an end that is past, or further away than a customer may have it."""
        if self._ledger.status not in {S.FULFILLED, S.FULFILLED_WITH_WARNINGS, S.FAILED}:
            raise _not_extended(f"cannot extend an order that is {self._ledger.status}")
        if extension.expires_at <= workflow.now():
            raise _not_extended("the new end is in the past")
        latest = workflow.now() + self._terms.max_extension
        if not extension.is_operator and extension.expires_at > latest:
            raise _not_extended(f"the latest end you may choose is {latest:%Y-%m-%dT%H:%M:%SZ}")

    def extend(self, extension: Extension) -> None:
        """Move the end of the order's life."""
        self.check_extension(extension)
        self.expires_at = extension.expires_at
        self.reminded = False
        self._ledger.note("extended", actor=extension.actor, expires_at=extension.expires_at)


def _not_extended(text: str) -> ApplicationError:
    return ApplicationError(text, type="not_extended", non_retryable=True)


def _refusal(verdict: Verdict) -> Failure:
    """All faults in one sentence: the first, and how many more there are."""
    first, more = verdict.faults[0], verdict.faults_total - 1
    text = first.text if not more else f"{first.text}; and {counted(more, 'more fault')}"
    return Failure(code=FailureCode(first.code), text=text)


def _all_failed(tally: Tally) -> Failure:
    """Why an order failed none of whose files could be delivered."""
    worst = tally.failure or Failure(code=FailureCode.INTERNAL, text="no file was delivered")
    return Failure(code=worst.code, text=f"None of {counted(tally.files, 'file')} could be delivered: {worst.text}")
