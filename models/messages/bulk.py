"""Messages of the bulk workflow."""

from uuid import UUID

from models.messages.base import Message


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
