"""Bulks: their orders are chosen, counted and frozen in one transaction; or told, and nothing written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller, Permission
from models.bulk import MAX_ORDERS, NOT_FOUND, BulkCommand, Reason, is_distinct, labelled, skipped
from models.credentials import access_token_of
from models.errors import Fault, InvalidBulk, NotFound, SelectionChanged
from models.listing import OrderFilter, Sort
from models.order import OrderStatus
from models.queries import bulk as queries
from models.tables import Bulk
from services import listing
from services.numbers import BULKS, require_room


@dataclass(frozen=True)
class BulkRequest:
    """What is asked of many orders: a command, a label, or an export (which has no command)."""

    command: BulkCommand | None
    criteria: OrderFilter
    ids: Sequence[UUID] | None = None
    expected: int | None = None
    """How many orders the caller expects; any number where it is None."""
    label: str | None = None
    reason: str | None = None
    asked: dict[str, Any] | None = None
    """The filter as it is kept and shown; None where the orders were named by their ids."""
    faults: Sequence[Fault] = ()
    """What is wrong with the request, whatever orders there are."""

    @property
    def permission(self) -> Permission:
        """What it takes at all; whether each order may be commanded is asked when its turn comes."""
        return Permission.READ if self.command is None else Permission.ORDER


class WouldBe(NamedTuple):
    """What a bulk would do to one order: `reason` says why not, `label` is the new one."""

    order: sa.Row[Any]
    reason: Reason | None
    label: str | None


@dataclass(frozen=True)
class DryRun:
    """What a bulk would do now: how many orders in all, how many would be skipped by code, and a page of them."""

    total: int
    done: int
    skipped: Mapping[str, int]
    page: Sequence[WouldBe]
    has_more: bool


async def accept_bulk(session: AsyncSession, caller: Caller, request: BulkRequest) -> Bulk:
    """Write a bulk with the list of its orders, frozen as it is now.

    Raises InvalidBulk with every fault, SelectionChanged, or QuotaExceeded where too many of theirs have not ended.
    """
    if request.command is None:
        raise ValueError("an export is made at once, and is no bulk")
    if request.faults:
        raise InvalidBulk(request.faults)
    await require_room(session, BULKS, caller.customer)
    orders = await _chosen(session, caller, request)
    bulk = Bulk(
        customer=caller.customer,
        actor=caller.actor,
        command=request.command,
        label=request.label,
        reason=request.reason,
        asked=request.asked,
        scopes=None if caller.scopes is None else sorted(caller.scopes),
        access_token=access_token_of(caller.credential),
    )
    session.add(bulk)
    await session.flush()
    await session.execute(queries.freeze(bulk.id, orders))
    await session.execute(queries.count_items(bulk.id))
    await session.refresh(bulk)
    _check(caller, request, bulk.total)
    return bulk


async def check_export(session: AsyncSession, caller: Caller, request: BulkRequest) -> None:
    """Raise what would keep an export from being made."""
    if request.faults:
        raise InvalidBulk(request.faults)
    _check(caller, request, (await _counted(session, caller, request, await _chosen(session, caller, request))).total())


async def dry_run(
    session: AsyncSession, caller: Caller, request: BulkRequest, after: UUID | None, limit: int
) -> DryRun:
    """Tell what a bulk would do now, with a page of its orders. Raises what accepting it would raise."""
    if request.faults:
        raise InvalidBulk(request.faults)
    orders = await _chosen(session, caller, request)
    counts = await _counted(session, caller, request, orders)
    _check(caller, request, counts.total())
    rows = (await session.execute(queries.page_of_chosen(orders, after, limit + 1))).all()
    return DryRun(
        total=counts.total(),
        done=counts[None],
        skipped={reason.code: count for reason, count in _by_reason(counts).items()},
        page=[_would_be(caller, request, row) for row in rows[:limit]],
        has_more=len(rows) > limit,
    )


def _by_reason(counts: Counter[Reason | None]) -> Counter[Reason]:
    """Those that would be skipped; sentences that differ by the status alone share their code."""
    by_code: dict[str, Reason] = {}
    found: Counter[Reason] = Counter()
    for reason, count in counts.items():
        if reason is not None:
            found[by_code.setdefault(reason.code, reason)] += count
    return found


async def _chosen(session: AsyncSession, caller: Caller, request: BulkRequest) -> sa.Subquery:
    query = await listing.resolve(session, listing.OrderQuery(caller.visibility, request.criteria, Sort.NEWEST))
    return queries.chosen(query.visibility, query.criteria, request.ids)


async def _counted(
    session: AsyncSession, caller: Caller, request: BulkRequest, orders: sa.Subquery
) -> Counter[Reason | None]:
    """How many orders would be skipped, by why; None: acted on."""
    counts: Counter[Reason | None] = Counter()
    for status, own, count in await session.execute(queries.by_status(orders, caller.customer)):
        counts[_why_not(caller, request, status, own=own)] += count
    return counts


def _why_not(caller: Caller, request: BulkRequest, status: str | None, *, own: bool) -> Reason | None:
    if status is None:
        return NOT_FOUND
    if request.command is None:
        return None
    return skipped(request.command, OrderStatus(status), may=caller.may_command(own=own))


def _would_be(caller: Caller, request: BulkRequest, row: sa.Row[Any]) -> WouldBe:
    reason = _why_not(caller, request, row.status, own=row.customer == caller.customer)
    label = None
    if reason is None and request.label is not None:
        label = labelled(request.label, label=row.label, number=row.number)
    return WouldBe(row, reason, label)


def _check(caller: Caller, request: BulkRequest, total: int) -> None:
    """Raise InvalidBulk where there are too many, SelectionChanged where there are not as many as expected."""
    if total > MAX_ORDERS:
        text = f"a bulk has at most {MAX_ORDERS:,} orders; narrow the filter"
        raise InvalidBulk([Fault(field="filter", code="too_many_orders", text=text)])
    if request.expected is not None and request.expected != total:
        raise SelectionChanged(request.expected, total if caller.may(Permission.READ) else None)
    if request.label is not None and total > 1 and not is_distinct(request.label):
        text = "no two orders of a customer have the same label: put {number} or {label} into it"
        raise InvalidBulk([Fault(field="label", code="label_not_distinct", text=text)])


async def get_own_bulk(session: AsyncSession, caller: Caller, bulk_id: UUID) -> Bulk:
    """Get the caller's bulk, anybody's for an operator. Raises NotFound, also for somebody else's, or Forbidden."""
    bulk = (await session.execute(queries.bulk_of(caller.visibility, bulk_id))).scalar_one_or_none()
    if bulk is None:
        raise NotFound("bulk", bulk_id)
    if caller.writes and bulk.customer != caller.customer:
        caller.require(Permission.COMMAND_ALL)
    return bulk
