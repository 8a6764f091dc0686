"""Orders for tests of lists: many and different, written as rows; and what a list must hold, without any SQL."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.delivery_status import delivery_status, is_waiting_for_user
from models.errors import FailureCode
from models.listing import OrderFilter, Sort, Visibility, statuses_in
from models.order import OrderStatus
from models.suborder import SubOrderState
from models.tables import Order, SubOrder
from tests.factories import Sessions

BEGIN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CUSTOMERS = ("local", "alice", "bob@example.org")
SKUS = ("scenes", "maps", "50%_off", "été")
STATES = (SubOrderState.READY, SubOrderState.DOWNLOADED, SubOrderState.WAITING_SLOT, SubOrderState.STAGING)
LABELS = ("Winter in ÖRE", "=SUM(A1)", "50% of a_b", "back\\slash", "Order of 2026/03/04")
FAILURES = (FailureCode.SOURCE_UNAVAILABLE, FailureCode.CATALOGUE_CHANGED)

Row = dict[str, Any]


def order_row(n: int, chance: random.Random, **more: Any) -> Row:
    """The columns of an order; many share an instant, a size or an end."""
    skus = sorted(chance.sample(SKUS, chance.randint(1, 2)))
    files = chance.choice((1, 10, 100))
    failed = chance.choice((0, 0, 0, 1))
    failure = chance.choice((None, *FAILURES))
    return {
        "number": f"CO-2026-{n:06d}",
        "customer": chance.choice(CUSTOMERS),
        "label": f"{chance.choice(LABELS)} {n}",
        "skus": skus,
        "product_names": [sku.title() for sku in skus],
        "status": chance.choice(list(OrderStatus)).value,
        "status_at": BEGIN + timedelta(hours=chance.randint(0, 20)),
        "version": 1,
        "total_price": Decimal(chance.randint(0, 500)) / 100,
        "currency": "EUR",
        "created_at": BEGIN + timedelta(minutes=chance.randint(0, 40)),
        "started_at": BEGIN,
        "expires_at": chance.choice((None, BEGIN + timedelta(days=chance.randint(1, 5)))),
        "objects_total": files,
        "files_total": files,
        "bytes_total": chance.choice((0, 1, 10**6, 10**12)),
        "files_available": 0,
        "files_failed": failed,
        "failure_code": failure and failure.value,
        "bytes_settled": 0,
        **more,
    }


async def add_rows(sessions: Sessions, rows: Sequence[Row], chance: random.Random) -> list[Row]:
    """Write orders with sub-orders in all kinds of states; the rows come back with their ids and these states."""
    async with sessions.begin() as session:
        ids = (
            await session.execute(sa.insert(Order).returning(col(Order.id), sort_by_parameter_order=True), rows)
        ).all()
        written = [
            {**row, "id": key, "states": chance.sample(STATES, chance.randint(0, 2))}
            for row, (key,) in zip(rows, ids, strict=True)
        ]
        await add_suborders(session, [(row["id"], state) for row in written for state in row["states"]])
    return written


async def add_suborders(session: AsyncSession, states: Sequence[tuple[UUID, str]]) -> None:
    """A sub-order in each of the states."""
    rows = [
        {"order_id": key, "number": n, "sku": "scenes", "tier": "online", "location": "/", "state": str(state),
         "objects_total": 1, "files_total": 1, "bytes_total": 1}
        for n, (key, state) in enumerate(states, 1)
    ]  # fmt: skip
    if rows:
        await session.execute(sa.insert(SubOrder), rows)


def naive(rows: Sequence[Row], visibility: Visibility, criteria: OrderFilter) -> list[Row]:
    """The rows that a list must hold, one test after the other."""
    statuses = statuses_in(visibility, criteria)
    tests: list[Callable[[Row], bool]] = [
        lambda row: visibility.customer in {None, row["customer"]},
        lambda row: row["status"] in statuses,
        lambda row: all(term.lower() in _searched(row) for term in criteria.terms),
        lambda row: not criteria.products or bool(set(criteria.products) & set(row["skus"])),
        lambda row: not criteria.customers or row["customer"] in criteria.customers,
        lambda row: criteria.label in {None, row["label"]},
        lambda row: criteria.has_errors in {None, row["files_failed"] > 0},
        lambda row: criteria.failures is None or row["failure_code"] in criteria.failures,
        lambda row: criteria.ids is None or row["id"] in criteria.ids,
        lambda row: criteria.waiting_for_user in {None, _waits(row)},
        lambda row: (
            criteria.delivery is None
            or delivery_status(row["status"], waiting_for_user=_waits(row)) in criteria.delivery
        ),
        lambda row: criteria.created_after is None or row["created_at"] >= criteria.created_after,
        lambda row: criteria.created_before is None or row["created_at"] < criteria.created_before,
        lambda row: criteria.expires_after is None or _end(row) >= criteria.expires_after,
        lambda row: criteria.expires_before is None or _end(row) < criteria.expires_before,
        lambda row: criteria.min_bytes is None or row["bytes_total"] >= criteria.min_bytes,
        lambda row: criteria.max_bytes is None or row["bytes_total"] <= criteria.max_bytes,
    ]
    return [row for row in rows if all(test(row) for test in tests)]


def in_order(rows: Sequence[Row], sort: Sort) -> list[Row]:
    """The rows as a list must show them."""
    keys: dict[str, Callable[[Row], Any]] = {
        "created_at": lambda row: row["created_at"],
        "status_at": lambda row: row["status_at"],
        "bytes": lambda row: row["bytes_total"],
        "expires_at": _end,
        "number": lambda row: int(row["number"].split("-")[2]),
    }
    key = keys[sort.key]
    return sorted(rows, key=lambda row: (key(row), row["id"]), reverse=sort.descending)


def _end(row: Row) -> datetime:
    return row["expires_at"] or datetime.max.replace(tzinfo=UTC)


def _waits(row: Row) -> bool:
    return is_waiting_for_user(OrderStatus(row["status"]), dict.fromkeys(row["states"], 1))


def _searched(row: Row) -> str:
    parts = (str(row["id"]), row["number"], row["label"], row["customer"], *row["skus"], *row["product_names"])
    return "\n".join(parts).lower()
