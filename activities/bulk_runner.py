"""Commands the orders of a bulk: each at most once, whatever crashes, and only where its caller may at that moment."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
import structlog
from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import col
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from models.access import Caller
from models.bulk import NO_ANSWER, NOT_FOUND, BulkCommand, ItemResult, Reason, acts_in, command_of, labelled, skipped
from models.errors import CommandPending, Forbidden, IllegalTransition, TemporalUnavailable, Unauthenticated
from models.messages import CommandRequest
from models.order import OrderStatus
from models.queries import bulk as queries
from models.queries import orders
from models.tables import Bulk, BulkItem, Order
from services.credentials import caller_of_grant
from temporal.commands import execute_command
from temporal.start import OrderStart, start_order

TRIES = 3
"""How often an order whose workflow does not answer is asked, while Temporal itself is well."""

_HEALTH_TIMEOUT = 2.0

log = structlog.get_logger()


class ClaimedItem(NamedTuple):
    """An order that has yet to hear of the bulk, and what it is asked."""

    order: Order
    request: CommandRequest


class ItemOutcome(NamedTuple):
    """What became of an order."""

    result: ItemResult
    reason: Reason | None = None


DONE = ItemOutcome(ItemResult.DONE)


@dataclass(frozen=True)
class BulkCommander:
    """Executes the command of one bulk on its orders."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    bulk: Bulk
    patience: float
    """Seconds to wait for an order's answer."""
    pause: float
    """Seconds before an order that did not answer is asked again; they grow with each try."""

    async def on(self, order_id: UUID) -> None:
        """Act on an order and write down what became of it, unless that has been done."""
        if (claimed := await self._claim(order_id)) is None:
            return
        # In the task of this order alone.
        structlog.contextvars.bind_contextvars(order=str(order_id), number=claimed.order.number)
        await self.record(order_id, await self._ask(claimed))

    async def record(self, order_id: UUID, outcome: ItemOutcome) -> None:
        """Write down what became of an order; what is written stays."""
        async with self.sessions.begin() as session:
            await self._record(session, order_id, outcome)

    async def _claim(self, order_id: UUID) -> ClaimedItem | None:
        """What has to be asked of the order; None where nothing has to be, any more."""
        async with self.sessions.begin() as session:
            query = queries.item_to_do(self.bulk.id, order_id)
            if (item := (await session.execute(query)).scalar_one_or_none()) is None:
                return None
            if item.sent_at is not None:
                # Sent by a process that died: it was allowed then, and under its id it has its effect once.
                return await self._sent_before(session, item)
            try:
                caller = await caller_of_grant(session, self.bulk.grant, self.bulk.scopes)
            except (Unauthenticated, Forbidden) as ended:
                await session.execute(queries.stop(self.bulk.id, datetime.now(UTC), str(ended)))
                log.info("bulk stopped", bulk=str(self.bulk.id), reason=str(ended))
                return None
            order = (await session.execute(orders.order_of(caller.visibility, order_id))).scalar_one_or_none()
            if order is None or (reason := self._why_not(caller, order)):
                reason = NOT_FOUND if order is None else reason
                await self._record(session, order_id, ItemOutcome(ItemResult.SKIPPED, reason))
                return None
            if self.bulk.command == BulkCommand.LABEL:
                await self._record(session, order_id, await self._label(session, order))
                return None
            item.sent_at = datetime.now(UTC)
            session.add(item)
            return ClaimedItem(order, self._request(order))

    def _why_not(self, caller: Caller, order: Order) -> Reason | None:
        may = caller.may_command(own=order.customer == caller.customer)
        return skipped(BulkCommand(self.bulk.command), OrderStatus(order.status), may=may)

    async def _sent_before(self, session: AsyncSession, item: BulkItem) -> ClaimedItem | None:
        if (await session.execute(queries.was_executed(self.bulk.id, item.order_id))).scalar_one():
            await self._record(session, item.order_id, DONE)
            return None
        order = (await session.execute(orders.order_by_id(item.order_id))).scalar_one_or_none()
        if order is None:
            await self._record(session, item.order_id, ItemOutcome(ItemResult.SKIPPED, NOT_FOUND))
            return None
        return ClaimedItem(order, self._request(order))

    def _request(self, order: Order) -> CommandRequest:
        command = BulkCommand(self.bulk.command)
        asked = command_of(command)
        if asked is None:
            raise ValueError(f"{command} is nothing that an order is asked")
        return CommandRequest(
            id=f"bulk-{self.bulk.id}-{order.id}",
            command=asked,
            actor=self.bulk.actor,
            reason=self.bulk.reason,
            only_in=tuple(sorted(acts_in(command))),
            bulk_id=self.bulk.id,
        )

    async def _label(self, session: AsyncSession, order: Order) -> ItemOutcome:
        label = labelled(self.bulk.label or "", label=order.label, number=order.number)
        try:
            async with session.begin_nested():
                await session.execute(sa.update(Order).where(col(Order.id) == order.id).values(label=label))
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
            text = f"another order of the same customer is labelled “{label}”, in upper or lower case"
            return ItemOutcome(ItemResult.SKIPPED, Reason("label_taken", text))
        return DONE

    async def _ask(self, claimed: ClaimedItem) -> ItemOutcome:
        """What the order says. Raises ApplicationError where Temporal is unavailable."""
        for again in range(TRIES):
            try:
                if claimed.order.started_at is None:
                    await self._start(claimed.order)
                await self._execute(claimed)
            except IllegalTransition as refused:
                return ItemOutcome(ItemResult.SKIPPED, self._reason(refused))
            except (TemporalUnavailable, CommandPending) as unavailable:
                if not await self._is_well():
                    raise ApplicationError(str(unavailable), type=unavailable.code) from None
                await asyncio.sleep(self.pause * (again + 1))
            else:
                return DONE
        return ItemOutcome(ItemResult.FAILED, NO_ANSWER)

    async def _start(self, order: Order) -> None:
        """Start the workflow of an order that was accepted while Temporal was unavailable."""
        try:
            await start_order(self.client, OrderStart(order, order.skus))
        except (RPCError, RuntimeError, TimeoutError):
            raise TemporalUnavailable from None

    def _reason(self, refused: IllegalTransition) -> Reason:
        """Why it was refused: often the order has gone on since it was looked at."""
        reason = skipped(BulkCommand(self.bulk.command), OrderStatus(refused.status))
        return reason or Reason(refused.code, str(refused))

    async def _is_well(self) -> bool:
        """Whether Temporal answers; if so, it is the order's workflow that does not."""
        try:
            async with asyncio.timeout(_HEALTH_TIMEOUT):
                return await self.client.service_client.check_health()
        except (RPCError, RuntimeError, TimeoutError):
            return False

    async def _execute(self, claimed: ClaimedItem) -> None:
        """Execute the command; one that a closed order has executed for this bulk already has its effect once."""
        order_id = claimed.order.id

        async def is_done(session: AsyncSession) -> bool:
            return (await session.execute(queries.was_executed(self.bulk.id, order_id))).scalar_one()

        await execute_command(
            self.client, self.sessions, claimed.order, claimed.request, patience=self.patience, is_done=is_done
        )

    async def _record(self, session: AsyncSession, order_id: UUID, outcome: ItemOutcome) -> None:
        code, text = outcome.reason or (None, None)
        values = {"bulk_id": self.bulk.id, "order_id": order_id, "result": outcome.result, "code": code, "text": text}
        await session.execute(queries.RECORD, values)
