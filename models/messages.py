"""What travels through Temporal: ids, counts and words, never lists of files and never secrets."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from models.errors import Failure, Fault, IllegalTransition
from models.labels import one_line
from models.order import Command, OrderStatus, advance, allowed_actions
from models.suborder import SubOrderState

ORDERS_QUEUE = "consignor-orders"
PACKAGING_QUEUE = "consignor-packaging"
"""Staging reads the disks; on a queue of its own it neither delays the orders' workflows nor jumps its own line."""

ORDER_WORKFLOW = "order"
SUBORDER_WORKFLOW = "suborder"
RECONCILE_WORKFLOW = "reconcile"
BULK_WORKFLOW = "bulk"
BULK_DETAIL = "bulk"
"""Under what the details of a timeline entry name the bulk that asked for it."""

COMMAND_UPDATE = "command"
EXTEND_UPDATE = "extend"
NOTICE_SIGNAL = "notice"


def order_workflow_id(order_id: UUID) -> str:
    """The id of an order's workflow."""
    return f"order-{order_id}"


def suborder_workflow_id(order_id: UUID, number: int) -> str:
    """The id of a sub-order's workflow, a child of the order's."""
    return f"order-{order_id}/sub-{number}"


def bulk_workflow_id(bulk_id: UUID) -> str:
    """The id of a bulk's workflow."""
    return f"bulk-{bulk_id}"


MAX_NAMED_FILES = 1_000
"""Files that one command may name by their numbers; whoever means more means all."""

Seqs = Annotated[tuple[int, ...], Field(max_length=MAX_NAMED_FILES)]


MAX_REASON_CHARACTERS = 500

# Cleaned, not refused: whoever types a signal sees no refusal, and what PostgreSQL cannot hold is retried for ever.
Reason = Annotated[str, AfterValidator(lambda text: one_line(text, MAX_REASON_CHARACTERS))]
ActorName = Annotated[str, AfterValidator(lambda text: one_line(text, 200))]


class Message(BaseModel):
    """A Temporal payload: frozen; a newer version may add fields with defaults, an older one ignores them."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Carried(Message):
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
    carried: Carried | None = None
    revived: bool = False


class OrderRef(Message):
    """Which order an activity is about."""

    order_id: UUID


class Terms(Message):
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
    """

    number: str
    status: OrderStatus
    version: int
    is_free: bool
    terms: Terms = Terms()
    status_at: datetime | None = None
    origin: OrderStatus | None = None
    expires_at: datetime | None = None
    reminded: bool = False
    failed_files: int = 0


class CommandRequest(Message):
    """Somebody asks something of an order. The same `id` again is the same request and has no second effect.

    `only_in` narrows the statuses in which it may be obeyed; empty: wherever the table allows it. `bulk_id` is the bulk
    that asks, which the timeline then tells.
    """

    id: str
    command: Command
    actor: ActorName
    reason: Reason | None = None
    seqs: Seqs = ()
    only_in: tuple[OrderStatus, ...] = ()
    bulk_id: UUID | None = None

    def obeyed(self, status: OrderStatus, *, origin: OrderStatus | None = None) -> OrderStatus:
        """The status after an order in `status` has obeyed. Raises IllegalTransition where it must not."""
        if self.only_in and status not in self.only_in:
            raise IllegalTransition(self.command, status, allowed_actions(status))
        return advance(status, self.command, origin=origin)

    @property
    def details(self) -> dict[str, Any]:
        """What the timeline keeps of the request besides who and why."""
        return {BULK_DETAIL: str(self.bulk_id)} if self.bulk_id else {}


class SignalInput(Message):
    """What a platform engineer may say with a signal; everything may be left out."""

    reason: Reason | None = None
    actor: ActorName = "temporal-ui"


class Extension(Message):
    """A new end of an order's life. A customer may go as far as the terms allow, an operator further."""

    id: str
    expires_at: datetime
    actor: ActorName
    is_operator: bool = False


class Noticed(Message):
    """Something happened to a sub-order that was delivered. The same `id` again is the same and is entered once."""

    id: str
    what: str
    suborder: int
    actor: str
    reason_code: str | None = None
    reason_text: str | None = None
    details: dict[str, Any] = {}


class Standing(Message):
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
    details: dict[str, Any] = {}


class Projection(Message):
    """News of an order for PostgreSQL: timeline rows in their order; the last one bears the newest status."""

    order_id: UUID
    entries: tuple[TimelineEntry, ...]


class Verdict(Message):
    """What validation found; no fault means the order may go on. At most a thousand faults are listed."""

    faults: tuple[Fault, ...] = ()
    faults_total: int = 0


class SubOrderPage(Message):
    """Which unsettled sub-orders to ask for: those with a number above `after`."""

    order_id: UUID
    after: int
    limit: int


class SubOrderBrief(Message):
    """What a workflow has to know about a sub-order to run and to show it.

    `delivers`: its archive goes to a destination. `published`: it is ready, and nothing but that is left to do.
    """

    number: int
    sku: str
    files: int
    bytes: int
    delivers: bool = False
    published: bool = False


class SubOrders(Message):
    """A page of sub-orders, in the order of their numbers."""

    briefs: tuple[SubOrderBrief, ...]


class SubOrderInput(Message):
    """What the sub-order workflow starts from."""

    order_id: UUID
    number: int


class StagedFiles(Message):
    """How staging a sub-order went. `attempt` is the fencing number under which the files were written."""

    attempt: int
    available: int
    failed: int
    bytes: int


class Publication(Message):
    """Which attempt of a sub-order is to be made visible."""

    order_id: UUID
    number: int
    attempt: int


class SubOrderFailed(Message):
    """A sub-order none of whose pending files can be delivered, and why."""

    order_id: UUID
    number: int
    failure: Failure


class SubOrderResult(Message):
    """How a sub-order settled."""

    number: int
    state: SubOrderState
    available: int
    failed: int
    archive_bytes: int = 0
    failure: Failure | None = None


class Delivered(Message):
    """An archive that has arrived at its destination; where that is, PostgreSQL knows."""

    number: int
    bytes: int


class Reopening(Message):
    """Failed files to try again: those with these numbers, or all of them."""

    order_id: UUID
    seqs: Seqs


class Release(Message):
    """What becomes of the sub-orders of an order that is over: `cancelled` or `expired`."""

    order_id: UUID
    state: SubOrderState


class Released(Message):
    """How a release went; while downloads are open nothing is released."""

    open_downloads: int
    released: int


class Tally(Message):
    """What all sub-orders of an order came to; `failure` is the commonest one of its files.

    `undelivered` archives did not arrive at their destination.
    """

    files: int
    failed: int
    bytes: int
    failure: Failure | None = None
    undelivered: int = 0


class BulkInput(Message):
    """What a bulk workflow starts from; `after` is the order up to which an earlier run has come."""

    bulk_id: UUID
    after: UUID | None = None


class BulkRef(Message):
    """Which bulk an activity is about."""

    bulk_id: UUID


class BulkPage(Message):
    """Which orders of a bulk to work on: the next ones behind `after`."""

    bulk_id: UUID
    after: UUID | None = None


class BulkPageDone(Message):
    """How far a bulk has come. `last`: every order up to this one has its result; None: there is nothing left to do."""

    last: UUID | None = None
    done: int = 0
    skipped: int = 0
    failed: int = 0
    total: int = 0
