"""The order workflow: runs the handler of each status of an order, and takes the commands that change it."""

import asyncio
from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.releasing import ReleasingActivities
    from models.errors import IllegalTransition, NotExtended
    from models.messages import (
        BLOCKED_SIGNAL,
        NOTICE_SIGNAL,
        ORDER_WORKFLOW,
        BlockerNote,
        CommandRequest,
        CommandResult,
        Extension,
        OrderInput,
        OutboxEventMessage,
        Release,
        SignalInput,
    )
    from models.order import TERMINAL, Command, Event, OrderStatus, allowed_actions
    from models.status_facts import RELEASED_AS

from workflows import signals
from workflows.ledger import EntryFields, Ledger
from workflows.phases import CONTINUE_AFTER_EVENTS, PhaseResult, StatusHandlers
from workflows.policies import TRANSACTION
from workflows.provisioning import Provisioning
from workflows.signals import message_of
from workflows.state import OrderState

_PAUSE_TIMEOUT = 10.0

REFUSED_CANCEL_NOTED = "2026-11-28-refused-cancel-noted"
"""The patch since which Temporal's own cancel leaves its line on the timeline where it is refused."""


@workflow.defn(name=ORDER_WORKFLOW)
class OrderWorkflow:
    """One order. Owns its status; PostgreSQL is the projection."""

    @workflow.init
    def __init__(self, order: OrderInput) -> None:
        self._state = OrderState(order.order_id, since=workflow.now())
        self._ledger = Ledger(self._state)
        self._provisioning = Provisioning(self._state, self._ledger)
        self._handlers = StatusHandlers(self._state, self._ledger, self._provisioning)
        self._handling: OrderStatus | None = None
        self._is_open = self._cancel_requested = False

    @workflow.run
    async def run(self, order: OrderInput) -> str:
        """Take the order to its end; the result is its last status."""
        # Temporal's own cancel is raised in whatever this awaits; the order itself must not break off half-way.
        process = asyncio.create_task(self._process(order))
        try:
            await asyncio.shield(process)
        except asyncio.CancelledError:
            self._cancel_requested = True
            await self._cancelled_by_temporal()
        status = await process
        if self._cancel_requested:
            raise asyncio.CancelledError
        return status

    async def _process(self, order: OrderInput) -> OrderStatus:
        await self._open(order)
        while self._state.status not in TERMINAL:
            if workflow.info().get_current_history_length() > CONTINUE_AFTER_EVENTS:
                await self._continue_as_new()
            result = await self._handle(self._state.status)
            if result.ends_workflow:
                break
            if result.trigger is not None:
                await self._ledger.advance(result.trigger, **result.fields)
        await self._release()
        await self._all_written()
        return self._state.status

    async def _open(self, order: OrderInput) -> None:
        """Learn what was ordered and what the last run knew; from here on commands are taken."""
        brief = await TRANSACTION.execute(OrderActivities.open_order, self._state.ref, summary="Look up the order")
        self._state.open(brief, order.carried, workflow.now())
        if order.revived and self._state.status not in TERMINAL:
            text = "Its workflow had ended or was lost; a new one goes on from here."
            self._ledger.note("revived", reason_code="workflow_lost", reason_text=text)
            await self._ledger.flush()
        self._is_open = True

    async def _handle(self, status: OrderStatus) -> PhaseResult:
        """Run the handler of this status, until it is done or a command has changed the status."""
        self._handling = status
        self._ledger.begin_phase()
        self._provisioning.forget_blockers()
        self._provisioning.show()
        handler = asyncio.create_task(self._handlers.handle(status))
        await workflow.wait_condition(lambda: handler.done() or self._ledger.is_superseded or self._ledger.has_failed)
        self._ledger.raise_if_failed()
        if not self._ledger.is_superseded:
            return handler.result()
        # A command came first; the result of the handler no longer counts.
        handler.cancel()
        await asyncio.gather(handler, return_exceptions=True)
        self._handling = None
        return PhaseResult()

    async def _cancelled_by_temporal(self) -> None:
        """Treat Temporal's own cancel as the command; an order that cannot be cancelled stays as it is."""
        await workflow.wait_condition(lambda: self._is_open)
        if Command.CANCEL in allowed_actions(self._state.status):
            await self._ledger.advance(Command.CANCEL, actor="temporal-ui", reason_code="cancelled_in_temporal")
        elif workflow.patched(REFUSED_CANCEL_NOTED):
            refused = IllegalTransition(Command.CANCEL, self._state.status, allowed_actions(self._state.status))
            await self._note_refused(refused, "temporal-ui")

    async def _continue_as_new(self) -> None:
        """Begin a new history; no command may be in progress, and PostgreSQL has to know everything."""
        await self._all_written()
        workflow.continue_as_new(OrderInput(order_id=self._state.order_id, carried=self._state.carried()))

    async def _all_written(self) -> None:
        """Return when no command is in progress and all is written; a command may come during the writing."""
        while self._ledger.is_behind or not workflow.all_handlers_finished():
            await workflow.wait_condition(workflow.all_handlers_finished)
            await self._ledger.flush()

    async def _release(self) -> None:
        """Release the sub-orders of an order that ended in a status in which nothing can be downloaded."""
        if (state := RELEASED_AS.get(self._state.status)) is not None:
            await TRANSACTION.execute(
                ReleasingActivities.release_suborders,
                Release(order_id=self._state.order_id, state=state),
                summary=f"Mark the sub-orders {state}",
            )
        self._provisioning.show()

    # Commands: as updates, which answer, and as signals, whose refusals go to the timeline.

    @workflow.update
    async def command(self, request: CommandRequest) -> CommandResult:
        """Apply a command, and answer when PostgreSQL knows."""
        await workflow.wait_condition(lambda: self._is_open)
        try:
            await self._apply(request)
        except IllegalTransition as error:
            raise _refused(error) from None
        return self._standing()

    @command.validator
    def check_command(self, request: CommandRequest) -> None:
        """Refuse what the table forbids, before anything is written to the history."""
        if not self._is_open or self._state.has_handled(request.id):
            return
        try:
            request.with_command_applied(self._state.status, origin=self._state.origin)
        except IllegalTransition as error:
            raise _refused(error) from None

    @workflow.update
    async def extend(self, extension: Extension) -> CommandResult:
        """Move the expiry of the order."""
        await workflow.wait_condition(lambda: self._is_open)
        if not self._state.has_handled(extension.id):
            # Checked again: the status may have changed since the validator ran.
            self._check_extension(extension)
            self._state.expire_at(extension.expires_at)
            self._ledger.note("extended", actor=extension.actor, expires_at=extension.expires_at)
            self._state.remember(extension.id)
            await self._ledger.flush()
        return self._standing()

    @extend.validator
    def check_extend(self, extension: Extension) -> None:
        """Refuse an expiry that is past or later than the terms allow."""
        if self._is_open and not self._state.has_handled(extension.id):
            self._check_extension(extension)

    @workflow.signal(description=signals.PAUSE)
    async def pause(self, by: SignalInput | None = None) -> None:
        """Pause from the Temporal UI or CLI."""
        await self._signalled(Command.PAUSE, by)

    @workflow.signal(description=signals.RESUME)
    async def resume(self, by: SignalInput | None = None) -> None:
        """Resume from the Temporal UI or CLI."""
        await self._signalled(Command.RESUME, by)

    @workflow.signal(description=signals.CANCEL)
    async def cancel(self, by: SignalInput | None = None) -> None:
        """Cancel from the Temporal UI or CLI."""
        await self._signalled(Command.CANCEL, by)

    @workflow.signal(description=signals.RETRY)
    async def retry(self, by: SignalInput | None = None) -> None:
        """Retry from the Temporal UI or CLI."""
        await self._signalled(Command.RETRY, by)

    # Not registered by their names: nobody shall be offered them in the Temporal UI.
    @workflow.signal(dynamic=True, description=signals.OWN)
    async def told(self, name: str, values: Sequence[RawValue]) -> None:
        """Take what activities and the outbox tell; what has another name or another shape is dropped."""
        if name == BLOCKED_SIGNAL and (note := message_of(values, BlockerNote)) is not None:
            self._provisioning.show_blocker(note)
        elif name == NOTICE_SIGNAL and (noticed := message_of(values, OutboxEventMessage)) is not None:
            await self._note(noticed)
        else:
            workflow.logger.warning("a signal was dropped: there is none of this name and shape: %s", name)

    async def _note(self, noticed: OutboxEventMessage) -> None:
        """Note an event from the outbox: a sub-order was downloaded, or files were lost before they were."""
        await workflow.wait_condition(lambda: self._is_open)
        if self._state.has_handled(noticed.id):
            return
        self._state.remember(noticed.id)
        fields: EntryFields = {
            "suborder": noticed.suborder,
            "reason_code": noticed.reason_code,
            "reason_text": noticed.reason_text,
            "details": {**noticed.details, "notice": noticed.id},
        }
        if noticed.what == Event.FILES_LOST:
            reason = noticed.reason_code, noticed.reason_text
            self._provisioning.lose(noticed.suborder, int(noticed.details.get("failed", 0)), reason)
        if noticed.what == Event.FILES_LOST and self._state.status is OrderStatus.FULFILLED:
            await self._ledger.advance(Event.FILES_LOST, actor=noticed.actor, **fields)
        else:
            self._ledger.note(noticed.what, actor=noticed.actor, **fields)
            await self._ledger.flush()

    async def _signalled(self, command: Command, by: SignalInput | None) -> None:
        await workflow.wait_condition(lambda: self._is_open)
        by = by or SignalInput()
        request = CommandRequest(id=str(workflow.uuid4()), command=command, actor=by.actor, reason=by.reason)
        try:
            await self._apply(request)
        except IllegalTransition as error:
            await self._note_refused(error, by.actor)

    async def _note_refused(self, refused: IllegalTransition, actor: str) -> None:
        """Tell of what came by a signal or a cancel, and nobody waits for an answer to."""
        self._ledger.note("command_refused", actor=actor, reason_code=refused.command, reason_text=str(refused))
        self._state.refused = str(refused)
        self._provisioning.show()
        await self._ledger.flush()

    async def _apply(self, request: CommandRequest) -> None:
        """Change the status; the main loop sees it and ends the handler of the old one. Raises IllegalTransition."""
        if self._state.has_handled(request.id):
            return
        # No await between the check and the change: of two commands at once the second is checked after the first.
        request.with_command_applied(self._state.status, origin=self._state.origin)
        self._state.remember(request.id)
        self._state.refused = ""
        self._provisioning.show()
        if request.is_free is not None:
            self._state.is_free = request.is_free
        if request.command is Command.RETRY:
            self._state.reopen = request.seqs
        await self._ledger.advance(
            request.command,
            actor=request.actor,
            reason_code=f"by_{request.actor.partition(':')[0].replace('-', '_')}",
            reason_text=request.reason,
            details=request.details,
        )
        if request.command is Command.PAUSE:
            await self._paused()

    async def _paused(self) -> None:
        """Return when no worker reads files of the order any more."""
        try:
            await workflow.wait_condition(
                lambda: self._handling in {None, OrderStatus.PAUSED} or self._state.status is not OrderStatus.PAUSED,
                timeout=_PAUSE_TIMEOUT,
            )
        except TimeoutError:
            workflow.logger.warning("the order is paused, but a worker has not let go of its files yet")

    def _check_extension(self, extension: Extension) -> None:
        try:
            self._state.check_extension(extension, workflow.now())
        except NotExtended as error:
            raise _refused(error) from None

    def _standing(self) -> CommandResult:
        return CommandResult(status=self._state.status, version=self._state.version)


def _refused(error: IllegalTransition | NotExtended) -> ApplicationError:
    """A refusal as Temporal carries it; `temporal.commands` turns it back."""
    details = (error.command, error.status) if isinstance(error, IllegalTransition) else ()
    return ApplicationError(str(error), *details, type=error.code, non_retryable=True)
