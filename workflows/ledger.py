"""The ledger of an order: its status, changed by the table alone, and its timeline, projected in order."""

import asyncio
from typing import Any
from uuid import UUID

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from models.messages import OrderBrief, Projection, TimelineEntry
    from models.order import OrderStatus, Trigger, advance, past_tense
    from temporal import search_attributes as attributes

from workflows.policies import RECORD

SYSTEM = "system"


class Ledger:
    """Owns status and timeline. Every change is minted here, under one lock, and written before anything follows."""

    def __init__(self, order_id: UUID) -> None:
        self._order_id = order_id
        self._lock = asyncio.Lock()
        self._unwritten: list[TimelineEntry] = []
        self._is_overtaken = False
        self.sequence = 0
        self.status = OrderStatus.DRAFT
        self.origin: OrderStatus | None = None
        self.since = workflow.now()
        self.number = ""

    def open(self, brief: OrderBrief) -> None:
        """Go on from where PostgreSQL says the order is; called before anything is entered."""
        self.status, self.sequence, self.number = brief.status, brief.version, brief.number
        self.origin, self.since = brief.origin, brief.status_at or workflow.now()

    @property
    def is_behind(self) -> bool:
        """Whether PostgreSQL has yet to learn something."""
        return bool(self._unwritten) or self._lock.locked()

    def begin_work(self) -> None:
        """A piece of work begins, for the status as it is now."""
        self._is_overtaken = False

    @property
    def is_overtaken(self) -> bool:
        """Whether the status has changed since the work began."""
        return self._is_overtaken

    def check_turn(self) -> None:
        """Raise CancelledError where the work has been overtaken: to be asked when an activity has answered.

        Where the answer comes in the same workflow task as the command, temporalio keeps the answer, and the cancel of
        whoever awaits it is lost: the work would go on, and nobody would cancel it again.
        """
        if self._is_overtaken:
            raise asyncio.CancelledError

    async def advance(self, trigger: Trigger, *, actor: str = SYSTEM, **why: Any) -> None:
        """Change the status as the table says, and return when PostgreSQL knows. Raises IllegalTransition.

        `why` may give the `reason_code`, `reason_text`, `failure` and `faults` of a TimelineEntry.
        """
        before, after = self.status, advance(self.status, trigger, origin=self.origin)
        self.status, self.origin, self.since = after, before, workflow.now()
        self._is_overtaken = True
        self._enter(past_tense(trigger), before, actor, why)
        workflow.upsert_search_attributes([attributes.STATUS.value_set(after)])
        await self.flush()

    def note(self, what: str, *, actor: str = SYSTEM, **why: Any) -> None:
        """Enter something that changes no status; it is written with the next flush."""
        self._enter(what, self.status, actor, why)

    async def flush(self) -> None:
        """Return when everything entered so far is in PostgreSQL; entries of the meantime travel together.

        Whoever is cancelled while waiting leaves the writing to go on: an entry once minted is never lost.
        """
        await asyncio.shield(asyncio.create_task(self._write()))

    async def _write(self) -> None:
        async with self._lock:
            # Another flush may have written ours while we waited for the lock.
            if not self._unwritten:
                return
            entries, self._unwritten = tuple(self._unwritten), []
            await RECORD.execute(
                OrderActivities.record,
                Projection(order_id=self._order_id, entries=entries),
                summary=", ".join(entry.what.replace("_", " ") for entry in entries[:5]),
            )

    def _enter(self, what: str, before: OrderStatus, actor: str, why: dict[str, Any]) -> None:
        self.sequence += 1
        entry = TimelineEntry(
            sequence=self.sequence,
            at=workflow.now(),
            actor=actor,
            what=what,
            status_before=before,
            status_after=self.status,
            **why,
        )
        self._unwritten.append(entry)
