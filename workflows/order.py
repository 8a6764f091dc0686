"""The order workflow: the life of one order, a piece of work for each status, and commands that may end it."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.releasing import ReleasingActivities
    from models.delivery_status import RELEASED_AS
    from models.errors import IllegalTransition
    from models.messages import (
        NOTICE_SIGNAL,
        ORDER_WORKFLOW,
        Carried,
        CommandRequest,
        Extension,
        Noticed,
        OrderInput,
        OrderRef,
        Release,
        SignalInput,
        Standing,
    )
    from models.order import TERMINAL, Command, Event, OrderStatus, allowed_actions

from workflows.ledger import Ledger
from workflows.phases import CONTINUE_AFTER_EVENTS, Conclusion, Works
from workflows.policies import TRANSACTION
from workflows.provisioning import Provisioning

OBEYED_KEPT = 200
"""Command ids that are remembered; whoever repeats an older one is told that it is not allowed any more."""

_AT_REST_TIMEOUT = 10.0


@workflow.defn(name=ORDER_WORKFLOW)
class OrderWorkflow:
    """One order. Owns its status; PostgreSQL shows it."""

    @workflow.init
    def __init__(self, order: OrderInput) -> None:
        self._order = OrderRef(order_id=order.order_id)
        self._ledger = Ledger(order.order_id)
        self._provisioning = Provisioning(self._order, self._ledger)
        self._works = Works(self._order, self._ledger, self._provisioning)
        self._obeyed: list[str] = []
        self._working_on: OrderStatus | None = None
        self._opened = self._cancel_requested = False

    @workflow.run
    async def run(self, order: OrderInput) -> str:
        """Live the order; the result is its last status."""
        # Temporal's own cancel strikes whatever this awaits: the life itself must not break off half-way.
        life = asyncio.create_task(self._live(order))
        try:
            await asyncio.shield(life)
        except asyncio.CancelledError:
            self._cancel_requested = True
            await self._cancelled_by_temporal()
        status = await life
        if self._cancel_requested:
            raise asyncio.CancelledError
        return status

    async def _live(self, order: OrderInput) -> OrderStatus:
        await self._open(order.carried)
        if order.revived:
            await self._revived()
        self._opened = True
        while self._ledger.status not in TERMINAL:
            if workflow.info().get_current_history_length() > CONTINUE_AFTER_EVENTS:
                await self._continue_as_new()
            conclusion = await self._work(self._ledger.status)
            if conclusion.over:
                break
            if conclusion.trigger is not None:
                await self._ledger.advance(conclusion.trigger, **conclusion.why)
        await self._release()
        await self._quiet()
        return self._ledger.status

    async def _open(self, carried: Carried | None) -> None:
        """Learn what was ordered, and what the last run knew."""
        brief = await TRANSACTION.execute(OrderActivities.open_order, self._order, summary="Look up the order")
        self._ledger.open(brief)
        self._works.open(brief)
        self._provisioning.failed_files = brief.failed_files
        if carried is not None:
            self._ledger.origin = carried.origin
            self._obeyed = list(carried.obeyed)
            self._works.expires_at, self._works.reminded = carried.expires_at, carried.reminded
            self._provisioning.failed_files = carried.failed_files
            self._provisioning.reopen = carried.seqs if carried.reopened else None

    async def _revived(self) -> None:
        """Tell that the order goes on after its workflow was lost; an order that is over has nothing to go on with."""
        if self._ledger.status not in TERMINAL:
            text = "Its workflow had ended or was lost; a new one goes on from here."
            self._ledger.note("revived", reason_code="workflow_lost", reason_text=text)
            await self._ledger.flush()

    async def _work(self, status: OrderStatus) -> Conclusion:
        """Do what this status asks for, until it is done or a command has changed the status."""
        self._working_on = status
        self._ledger.begin_work()
        self._provisioning.show()
        work = asyncio.create_task(self._works.of(status))
        await workflow.wait_condition(lambda: work.done() or self._ledger.is_overtaken)
        if not self._ledger.is_overtaken:
            return work.result()
        # A command came first; what the work was about to conclude no longer counts.
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        self._working_on = None
        return Conclusion()

    async def _cancelled_by_temporal(self) -> None:
        """Temporal's own cancel goes the way of the command; an order that cannot be cancelled stays as it is."""
        await workflow.wait_condition(lambda: self._opened)
        if Command.CANCEL in allowed_actions(self._ledger.status):
            await self._ledger.advance(Command.CANCEL, actor="temporal-ui", reason_code="cancelled_in_temporal")

    async def _continue_as_new(self) -> None:
        """Begin a new history; nothing may be under way, and PostgreSQL has to know everything."""
        await self._quiet()
        carried = Carried(
            origin=self._ledger.origin,
            obeyed=tuple(self._obeyed),
            expires_at=self._works.expires_at,
            failed_files=self._provisioning.failed_files,
            reopened=self._provisioning.reopen is not None,
            reminded=self._works.reminded,
            seqs=self._provisioning.reopen or (),
        )
        workflow.continue_as_new(OrderInput(order_id=self._order.order_id, carried=carried))

    async def _quiet(self) -> None:
        """Return when no command is under way and all is written; one may come while another is written down."""
        while self._ledger.is_behind or not workflow.all_handlers_finished():
            await workflow.wait_condition(workflow.all_handlers_finished)
            await self._ledger.flush()

    async def _release(self) -> None:
        """Nothing of an order that is over can be had any more."""
        if (state := RELEASED_AS.get(self._ledger.status)) is not None:
            await TRANSACTION.execute(
                ReleasingActivities.release_suborders,
                Release(order_id=self._order.order_id, state=state),
                summary=f"Mark the sub-orders {state}",
            )
        self._provisioning.show()

    # Commands: as updates, which answer, and as signals, which leave their answer on the timeline.

    @workflow.update
    async def command(self, request: CommandRequest) -> Standing:
        """Obey a command, and answer when PostgreSQL knows."""
        await workflow.wait_condition(lambda: self._opened)
        try:
            await self._obey(request)
        except IllegalTransition as error:
            raise _refused(error) from None
        return Standing(status=self._ledger.status, version=self._ledger.sequence)

    @command.validator
    def check_command(self, request: CommandRequest) -> None:
        """Refuse what the table forbids, before anything is written to the history."""
        if not self._opened or request.id in self._obeyed:
            return
        try:
            request.obeyed(self._ledger.status, origin=self._ledger.origin)
        except IllegalTransition as error:
            raise _refused(error) from None

    @workflow.update
    async def extend(self, extension: Extension) -> Standing:
        """Move the end of the order's life."""
        await workflow.wait_condition(lambda: self._opened)
        if extension.id not in self._obeyed:
            self._works.extend(extension)
            self._remember(extension.id)
            await self._ledger.flush()
        return Standing(status=self._ledger.status, version=self._ledger.sequence)

    @extend.validator
    def check_extend(self, extension: Extension) -> None:
        """Refuse an end that is past or further away than the terms allow."""
        if self._opened and extension.id not in self._obeyed:
            self._works.check_extension(extension)

    @workflow.signal
    async def pause(self, by: SignalInput | None = None) -> None:
        """Pause from the Temporal UI or CLI."""
        await self._signalled(Command.PAUSE, by)

    @workflow.signal
    async def resume(self, by: SignalInput | None = None) -> None:
        """Resume from the Temporal UI or CLI."""
        await self._signalled(Command.RESUME, by)

    @workflow.signal
    async def cancel(self, by: SignalInput | None = None) -> None:
        """Cancel from the Temporal UI or CLI."""
        await self._signalled(Command.CANCEL, by)

    @workflow.signal
    async def retry(self, by: SignalInput | None = None) -> None:
        """Retry from the Temporal UI or CLI."""
        await self._signalled(Command.RETRY, by)

    @workflow.signal(name=NOTICE_SIGNAL)
    async def notice(self, noticed: Noticed) -> None:
        """Enter what the facade saw: a sub-order downloaded, or files that were lost before they were."""
        await workflow.wait_condition(lambda: self._opened)
        if noticed.id in self._obeyed:
            return
        self._remember(noticed.id)
        why = noticed.model_dump(include={"actor", "suborder", "reason_code", "reason_text", "details"})
        why["details"] |= {"notice": noticed.id}
        self._provisioning.lost(int(noticed.details.get("failed", 0)))
        if noticed.what == Event.FILES_LOST and self._ledger.status is OrderStatus.FULFILLED:
            await self._ledger.advance(Event.FILES_LOST, **why)
        else:
            self._ledger.note(noticed.what, **why)
            await self._ledger.flush()

    async def _signalled(self, command: Command, by: SignalInput | None) -> None:
        await workflow.wait_condition(lambda: self._opened)
        said = by or SignalInput()
        request = CommandRequest(id=str(workflow.uuid4()), command=command, actor=said.actor, reason=said.reason)
        try:
            await self._obey(request)
        except IllegalTransition as error:
            self._ledger.note("command_refused", actor=said.actor, reason_code=command, reason_text=str(error))
            self._provisioning.refused = str(error)
            self._provisioning.show()
            await self._ledger.flush()

    async def _obey(self, request: CommandRequest) -> None:
        """Change the status; the main loop sees it and ends the work of the old one. Raises IllegalTransition."""
        if request.id in self._obeyed:
            return
        # No await between the check and the change: two commands at once are obeyed one after the other.
        request.obeyed(self._ledger.status, origin=self._ledger.origin)
        self._remember(request.id)
        if request.command is Command.RETRY:
            self._provisioning.reopen = request.seqs
        code = f"by_{request.actor.partition(':')[0].replace('-', '_')}"
        why = {"reason_code": code, "reason_text": request.reason, "details": request.details}
        await self._ledger.advance(request.command, actor=request.actor, **why)
        if request.command is Command.PAUSE:
            await self._rest()

    async def _rest(self) -> None:
        """Return when no byte is read any more."""
        try:
            await workflow.wait_condition(
                lambda: self._working_on in {None, OrderStatus.PAUSED} or self._ledger.status is not OrderStatus.PAUSED,
                timeout=_AT_REST_TIMEOUT,
            )
        except TimeoutError:
            workflow.logger.warning("the order is paused, but a worker has not let go of its files yet")

    def _remember(self, request_id: str) -> None:
        self._obeyed = [*self._obeyed, request_id][-OBEYED_KEPT:]


def _refused(error: IllegalTransition) -> ApplicationError:
    """A refusal as Temporal carries it; `temporal.commands` turns it back."""
    return ApplicationError(str(error), error.command, error.status, type=error.code, non_retryable=True)
