"""Messages of the order workflow: its input, commands, timeline, projection and what it carries on."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from models.errors import Failure, Fault, IllegalTransition
from models.messages.base import MAX_NAMED_FILES, Message, Reason
from models.messages.names import BULK_DETAIL
from models.order import Command, OrderStatus, advance, allowed_actions
from models.text import one_line

Seqs = Annotated[tuple[int, ...], Field(max_length=MAX_NAMED_FILES)]
ActorName = Annotated[str, AfterValidator(lambda text: one_line(text, 200))]


class ContinuedState(Message):
    """What an order workflow hands to its next run when its history has grown long; the rest is in PostgreSQL."""

    origin: OrderStatus | None
    obeyed: tuple[str, ...]
    expires_at: datetime | None
    failed_files: int
    reopened: bool
    seqs: Seqs
    reminded: bool = False


class OrderInput(Message):
    """What the order workflow starts from; the rest it reads by itself.

    `revived`: an earlier workflow of the order was lost or has ended, and this one goes on from where the rows say.
    """

    order_id: UUID
    carried: ContinuedState | None = None
    revived: bool = False


class OrderRef(Message):
    """Which order an activity is about."""

    order_id: UUID


class OrderTimeouts(Message):
    """How long an order may take its time; settings, as they were when its workflow began."""

    draft_timeout: timedelta = timedelta(days=30)
    payment_timeout: timedelta = timedelta(days=14)
    max_pause: timedelta = timedelta(days=30)
    keep_for: timedelta = timedelta(days=7)
    remind_before: timedelta = timedelta(days=1)
    max_extension: timedelta = timedelta(days=30)


class OrderBrief(Message):
    """What a workflow has to know about its order, and where the rows say it stands.

    `origin` is the status before the present one; `reminded` says whether the reminder of `expires_at` is told.
    `failure` and the first of the `faults` say why a failed order has failed.
    """

    number: str
    status: OrderStatus
    version: int
    is_free: bool
    terms: OrderTimeouts = OrderTimeouts()
    status_at: datetime | None = None
    origin: OrderStatus | None = None
    expires_at: datetime | None = None
    reminded: bool = False
    failed_files: int = 0
    failure: Failure | None = None
    faults: tuple[Fault, ...] = ()


class CommandRequest(Message):
    """Somebody asks something of an order. The same `id` again is the same request and has no second effect.

    `only_in` narrows the statuses in which it may be executed; empty: all that the table allows. `bulk_id` is the bulk
    that asks, which the timeline then tells. `is_free`: whether the order costs nothing, where that may have changed
    since its workflow was started.
    """

    id: str
    command: Command
    actor: ActorName
    reason: Reason | None = None
    seqs: Seqs = ()
    only_in: tuple[OrderStatus, ...] = ()
    bulk_id: UUID | None = None
    is_free: bool | None = None

    def with_command_applied(self, status: OrderStatus, *, origin: OrderStatus | None = None) -> OrderStatus:
        """The status of an order in `status` after the command. Raises IllegalTransition where the table forbids it."""
        if self.only_in and status not in self.only_in:
            raise IllegalTransition(self.command, status, allowed_actions(status))
        return advance(status, self.command, origin=origin)

    @property
    def details(self) -> dict[str, Any]:
        """What the timeline keeps of the request besides who and why."""
        return {BULK_DETAIL: str(self.bulk_id)} if self.bulk_id else {}


class SignalInput(Message):
    """What a platform engineer may say with a signal; everything may be left out, and text alone is the reason."""

    reason: Reason | None = None
    actor: ActorName = "temporal-ui"

    @model_validator(mode="before")
    @classmethod
    def _text_is_the_reason(cls, value: object) -> object:
        return {"reason": value} if isinstance(value, str) else value


class Extension(Message):
    """A new end of an order's life. A customer may go as far as the terms allow, an operator further."""

    id: str
    expires_at: datetime
    actor: ActorName
    is_operator: bool = False


class OutboxEventMessage(Message):
    """Something happened to a sub-order that was delivered. The same `id` again is the same and is entered once."""

    id: str
    what: str
    suborder: int
    actor: str
    reason_code: str | None = None
    reason_text: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class CommandResult(Message):
    """Where an order stands after a command."""

    status: OrderStatus
    version: int


class TimelineEntry(Message):
    """One row of the timeline, minted in the workflow, written at least once, there once."""

    sequence: int
    at: datetime
    actor: str
    what: str
    status_before: OrderStatus
    status_after: OrderStatus
    reason_code: str | None = None
    reason_text: str | None = None
    suborder: int | None = None
    failure: Failure | None = None
    faults: tuple[Fault, ...] = ()
    expires_at: datetime | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class Projection(Message):
    """News of an order for PostgreSQL: timeline rows in their order; the last one bears the newest status."""

    order_id: UUID
    entries: tuple[TimelineEntry, ...]


class ValidationResult(Message):
    """What validation found. At most a thousand faults are listed.

    `refused`: nothing of the order can be delivered, or less than it allows, which `failure` then says. None is an
    earlier version's, which refused for any fault.
    """

    faults: tuple[Fault, ...] = ()
    faults_total: int = 0
    refused: bool | None = None
    failure: Failure | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether the order cannot go on."""
        return bool(self.faults) if self.refused is None else self.refused


class SettlementTotals(Message):
    """What all sub-orders of an order came to; `failure` is the commonest one of its files.

    `undelivered` archives did not arrive at their destination. `left_out` files were ordered and never planned: they
    were gone by then, or others. `too_many`: more have failed than the order allows.
    """

    files: int
    failed: int
    bytes: int
    failure: Failure | None = None
    undelivered: int = 0
    left_out: int = 0
    too_many: Failure | None = None
