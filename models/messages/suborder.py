"""Messages of the sub-order workflow and of the activities that work on sub-orders."""

from uuid import UUID

from models.errors import Failure
from models.messages.base import Message
from models.messages.order import Seqs
from models.status_facts import Actor
from models.suborder import SubOrderState


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
    """A page of sub-orders, in the order of their numbers; and of all the order has, how many and how much settled."""

    briefs: tuple[SubOrderBrief, ...]
    total: int = 0
    settled: int = 0
    bytes: int = 0
    bytes_settled: int = 0


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


class BlockerNote(Message):
    """What holds a sub-order up (`number`; 0: the order itself) while a step of it is tried again by itself.

    `who` can act; an older version did not say.
    """

    number: int
    step: str
    failure: Failure
    who: Actor | None = None
