"""The state of one order as its workflow knows it, and what of it the next run of the workflow is given."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from models.errors import Failure, Fault, NotExtended
from models.instants import rfc3339
from models.messages import ContinuedState, Extension, OrderBrief, OrderRef, OrderTimeouts
from models.order import EXTENDABLE, OrderStatus, Trigger, advance

REMEMBERED_IDS = 200
"""Ids of commands that are remembered; an older one that is sent again is refused as not allowed any more."""


@dataclass
class OrderState:
    """Everything that changes during the life of an order, in one place.

    The workflow, its ledger, the status handlers and provisioning share one OrderState. It is pure: no method awaits,
    and instants come in as arguments. Only the ledger calls `advance`.

    `since` is when the present status began, `origin` the status before it. `reopen` holds the numbers of the failed
    files that a retry has named (none: all of them) until they are reopened. `refused` is the last refusal of a signal.
    """

    order_id: UUID
    since: datetime
    number: str = ""
    status: OrderStatus = OrderStatus.DRAFT
    origin: OrderStatus | None = None
    version: int = 0
    is_free: bool = False
    terms: OrderTimeouts = field(default_factory=OrderTimeouts)
    expires_at: datetime | None = None
    reminded: bool = False
    failed_files: int = 0
    reopen: tuple[int, ...] | None = None
    handled_ids: tuple[str, ...] = ()
    refused: str = ""
    failure: Failure | None = None
    faults: tuple[Fault, ...] = ()

    def open(self, brief: OrderBrief, carried: ContinuedState | None, now: datetime) -> None:
        """Take over what PostgreSQL knows, and what the previous run has carried over."""
        self.number, self.status, self.version = brief.number, brief.status, brief.version
        self.is_free, self.terms, self.since = brief.is_free, brief.terms, brief.status_at or now
        known = carried or brief
        self.origin, self.failed_files = known.origin, known.failed_files
        self.expires_at, self.reminded = known.expires_at, known.reminded
        self.failure, self.faults = brief.failure, brief.faults
        if carried is not None:
            self.handled_ids = carried.obeyed
            self.reopen = carried.seqs if carried.reopened else None

    def carried(self) -> ContinuedState:
        """What the next run needs; the rest is in PostgreSQL."""
        return ContinuedState(
            origin=self.origin,
            obeyed=self.handled_ids,
            expires_at=self.expires_at,
            failed_files=self.failed_files,
            reopened=self.reopen is not None,
            reminded=self.reminded,
            seqs=self.reopen or (),
        )

    @property
    def ref(self) -> OrderRef:
        """The order as an argument of activities."""
        return OrderRef(order_id=self.order_id)

    def advance(self, trigger: Trigger, now: datetime) -> OrderStatus:
        """Change the status as the table says and return the one before. Raises IllegalTransition."""
        before, self.status = self.status, advance(self.status, trigger, origin=self.origin)
        self.origin, self.since = before, now
        return before

    def failed_by(self, failure: Failure | None, faults: tuple[Fault, ...]) -> None:
        """Keep why the order has failed; an order that is in another status has not."""
        failed = self.status is OrderStatus.FAILED
        self.failure, self.faults = (failure, faults) if failed else (None, ())

    @property
    def errors(self) -> int:
        """Files that have failed, or what the order was refused for."""
        return self.failed_files or (max(len(self.faults), 1) if self.failure else 0)

    def has_handled(self, id_: str) -> bool:
        """Whether a command, an extension or a notice with this id has had its effect already."""
        return id_ in self.handled_ids

    def remember(self, id_: str) -> None:
        """Remember the id of what is being handled."""
        self.handled_ids = (*self.handled_ids, id_)[-REMEMBERED_IDS:]

    def count_failed(self, change: int) -> None:
        """More files have failed, or fewer since some were reopened."""
        self.failed_files = max(self.failed_files + change, 0)

    def expire_at(self, at: datetime) -> datetime:
        """Set the expiry, of which there will be a reminder."""
        self.expires_at, self.reminded = at, False
        return at

    def renew_expiry(self, now: datetime) -> datetime:
        """Set the expiry as the terms say, counted from now."""
        return self.expire_at(now + self.terms.keep_for)

    def check_extension(self, extension: Extension, now: datetime) -> None:
        """Raise NotExtended for an expiry in the past, or later than a customer may choose."""
        if self.status not in EXTENDABLE:
            raise NotExtended(f"cannot extend an order that is {self.status}")
        if extension.expires_at <= now:
            raise NotExtended("the new end is in the past")
        latest = now + self.terms.max_extension
        if not extension.is_operator and extension.expires_at > latest:
            raise NotExtended(f"the latest end you may choose is {rfc3339(latest, 'seconds')}")
