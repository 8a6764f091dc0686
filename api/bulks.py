"""Accepting a bulk: its orders chosen, counted and frozen in one transaction; or shown, and nothing written."""

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Caller
from api.http.cursors import Cursors
from api.orders.bulk_schemas import BulkCommandCreate, BulkDryRun, BulkExportCreate, BulkLabelCreate, BulkWould
from models.access import Permission
from models.bulk import MAX_ORDERS, NOT_FOUND, BulkCommand, Said, is_distinct, labelled, skipped
from models.errors import Fault, InvalidBulk, SelectionChanged
from models.listing import Sort
from models.order import OrderStatus
from models.queries import bulk as queries
from models.tables import Bulk
from services import listing

Commands = BulkCommandCreate | BulkLabelCreate
Asked = Commands | BulkExportCreate


def permission_for(body: Asked) -> Permission:
    """What it takes at all; whether each order may be commanded is asked when its turn comes."""
    return Permission.READ if isinstance(body, BulkExportCreate) else Permission.ORDER


def digest(body: Asked) -> bytes:
    """What tells a request from every other one."""
    return sha256(body.model_dump_json().encode()).digest()


async def accept(session: AsyncSession, caller: Caller, body: Commands) -> Bulk:
    """Write a bulk with the list of its orders, frozen as it is now.

    Raises InvalidBulk with every fault, or SelectionChanged.
    """
    if faults := body.faults():
        raise InvalidBulk(faults)
    orders = await _chosen(session, caller, body)
    bulk = Bulk(
        customer=caller.customer,
        actor=caller.actor,
        command=body.action,
        label=body.label if isinstance(body, BulkLabelCreate) else None,
        reason=body.reason,
        asked=body.asked,
        scopes=None if caller.scopes is None else sorted(caller.scopes),
    )
    session.add(bulk)
    await session.flush()
    await session.execute(queries.freeze(bulk.id, orders))
    await session.execute(queries.count_items(bulk.id))
    await session.refresh(bulk)
    _check(body, bulk.total)
    return bulk


async def check_export(session: AsyncSession, caller: Caller, body: BulkExportCreate) -> None:
    """Raise what would keep an export from being made."""
    if faults := body.faults():
        raise InvalidBulk(faults)
    _check(body, (await _counted(session, caller, body, await _chosen(session, caller, body))).total())


@dataclass(frozen=True)
class Page:
    """Which of the orders to show."""

    cursors: Cursors
    cursor: str | None
    limit: int

    @property
    def after(self) -> UUID | None:
        """The order before the page. Raises InvalidCursor."""
        return UUID(name) if (name := self.cursors.name(self.cursor)) else None


async def dry_run(session: AsyncSession, caller: Caller, body: Asked, page: Page) -> BulkDryRun:
    """What a bulk would do now. Raises what accepting it would raise."""
    if faults := body.faults():
        raise InvalidBulk(faults)
    after = page.after
    orders = await _chosen(session, caller, body)
    counts = await _counted(session, caller, body, orders)
    _check(body, counts.total())
    rows = (await session.execute(queries.page_of_chosen(orders, after, page.limit + 1))).all()
    reasons = {said.code: count for said, count in _by_reason(counts).items()}
    return BulkDryRun(
        action=body.action,
        total=counts.total(),
        done=counts[None],
        skipped=sum(reasons.values()),
        reasons=reasons,
        items=[_would(caller, body, row) for row in rows[: page.limit]],
        next_cursor=page.cursors.after(str(rows[page.limit - 1].id)) if len(rows) > page.limit else None,
    )


def _by_reason(counts: Counter[Said | None]) -> Counter[Said]:
    """Those that would be skipped; sentences that differ by the status alone share their code."""
    by_code: dict[str, Said] = {}
    found: Counter[Said] = Counter()
    for said, count in counts.items():
        if said is not None:
            found[by_code.setdefault(said.code, said)] += count
    return found


async def _chosen(session: AsyncSession, caller: Caller, body: Asked) -> sa.Subquery:
    query = await listing.resolve(session, listing.OrderQuery(caller.visibility, body.criteria, Sort.NEWEST))
    return queries.chosen(query.visibility, query.criteria, body.ids)


async def _counted(session: AsyncSession, caller: Caller, body: Asked, orders: sa.Subquery) -> Counter[Said | None]:
    """How many orders would be skipped, by why; None: acted on."""
    counts: Counter[Said | None] = Counter()
    for status, own, count in await session.execute(queries.by_status(orders, caller.customer)):
        counts[_why_not(caller, body, status, own=own)] += count
    return counts


def _why_not(caller: Caller, body: Asked, status: str | None, *, own: bool) -> Said | None:
    if status is None:
        return NOT_FOUND
    if isinstance(body, BulkExportCreate):
        return None
    return skipped(BulkCommand(body.action), OrderStatus(status), may=caller.may_command(own=own))


def _would(caller: Caller, body: Asked, row: sa.Row[Any]) -> BulkWould:
    said = _why_not(caller, body, row.status, own=row.customer == caller.customer)
    label = None
    if said is None and isinstance(body, BulkLabelCreate):
        label = labelled(body.label, label=row.label, number=row.number)
    return BulkWould(
        order_id=row.id,
        number=row.number,
        status=row.status,
        outcome="skipped" if said else "done",
        label=label,
        code=said.code if said else None,
        text=said.text if said else None,
    )


def _check(body: Asked, total: int) -> None:
    """Raise InvalidBulk where there are too many, SelectionChanged where there are not as many as expected."""
    if total > MAX_ORDERS:
        text = f"a bulk has at most {MAX_ORDERS:,} orders; narrow the filter"
        raise InvalidBulk([Fault(field="filter", code="too_many_orders", text=text)])
    if body.expected is not None and body.expected != total:
        raise SelectionChanged(body.expected, total)
    if isinstance(body, BulkLabelCreate) and total > 1 and not is_distinct(body.label):
        text = "no two orders of a customer have the same label: put {number} or {label} into it"
        raise InvalidBulk([Fault(field="label", code="label_not_distinct", text=text)])
