"""The ledger of an order: its status, changed by the table alone, and its timeline, projected in order."""

import asyncio
from datetime import datetime
from typing import Any, TypedDict, Unpack

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from models.errors import Failure, Fault
    from models.messages import Projection, TimelineEntry
    from models.order import OrderStatus, Trigger, past_tense
    from temporal import search_attributes as attributes

from workflows.policies import RECORD
from workflows.state import OrderState

SYSTEM = "system"


class EntryFields(TypedDict, total=False):
    """What a timeline entry may say besides who did what."""

    reason_code: str | None
    reason_text: str | None
    suborder: int | None
    failure: Failure | None
    faults: tuple[Fault, ...]
    expires_at: datetime | None
    details: dict[str, Any]


class Ledger:
    """Changes the status and writes the timeline. Entries are made here, and written in order under one lock."""

    def __init__(self, state: OrderState) -> None:
        self._state = state
        self._lock = asyncio.Lock()
        self._unwritten: list[TimelineEntry] = []
        self._is_superseded = False
        self._failure: ActivityError | None = None

    @property
    def has_failed(self) -> bool:
        """Whether PostgreSQL refuses what this run has to tell: then the run has to end."""
        return self._failure is not None

    def raise_if_failed(self) -> None:
        """Raise ActivityError where PostgreSQL has refused news, whoever was told of it first."""
        if self._failure is not None:
            raise self._failure

    @property
    def is_behind(self) -> bool:
        """Whether PostgreSQL has yet to learn something."""
        return bool(self._unwritten) or self._lock.locked()

    def begin_phase(self) -> None:
        """The handler of the present status begins."""
        self._is_superseded = False

    @property
    def is_superseded(self) -> bool:
        """Whether the status has changed since the handler of the phase began."""
        return self._is_superseded

    def raise_if_superseded(self) -> None:
        """Raise CancelledError if the status has changed; to be called when an activity has answered.

        If the answer comes in the same workflow task as the command, temporalio delivers the answer and drops the
        cancel of the awaiting task: the handler would go on, and nothing would cancel it again.
        """
        if self._is_superseded:
            raise asyncio.CancelledError

    async def advance(self, trigger: Trigger, *, actor: str = SYSTEM, **fields: Unpack[EntryFields]) -> None:
        """Change the status as the table says, and return when PostgreSQL knows. Raises IllegalTransition."""
        before = self._state.advance(trigger, workflow.now())
        self._is_superseded = True
        self._append(past_tense(trigger), before, actor, fields)
        self._state.failed_by(fields.get("failure"), fields.get("faults", ()))
        workflow.upsert_search_attributes(
            [attributes.STATUS.value_set(self._state.status), attributes.ERRORS.value_set(self._state.errors)]
        )
        await self.flush()

    def note(self, what: str, *, actor: str = SYSTEM, **fields: Unpack[EntryFields]) -> None:
        """Append an entry that changes no status; it is written with the next flush."""
        self._append(what, self._state.status, actor, fields)

    async def flush(self) -> None:
        """Return when everything appended so far is in PostgreSQL; entries of the meantime travel together.

        If the caller is cancelled while it waits, the writing goes on: no entry is ever lost.
        """
        await asyncio.shield(asyncio.create_task(self._write()))

    async def _write(self) -> None:
        async with self._lock:
            # Another flush may have written ours while we waited for the lock.
            if not self._unwritten:
                return
            entries, self._unwritten = tuple(self._unwritten), []
            # Awaited under the lock: a later entry must not reach PostgreSQL before an earlier one.
            try:
                await RECORD.execute(
                    OrderActivities.record,
                    Projection(order_id=self._state.order_id, entries=entries),
                    summary=", ".join(entry.what.replace("_", " ") for entry in entries[:5]),
                )
            except ActivityError as error:
                # Raised to whoever waits, who may be an update that only fails itself; the run ends by what is kept.
                self._failure = error
                raise

    def _append(self, what: str, before: OrderStatus, actor: str, fields: EntryFields) -> None:
        self._state.version += 1
        entry = TimelineEntry(
            sequence=self._state.version,
            at=workflow.now(),
            actor=actor,
            what=what,
            status_before=before,
            status_after=self._state.status,
            **fields,
        )
        self._unwritten.append(entry)
