"""A million orders for measuring lists: written by COPY, the same ones each time."""

import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
CUSTOMERS = 2_000
BATCH = 100_000
WORDS = ("scene", "harvest", "survey", "weekly", "coast", "glacier", "forest", "night", "urban", "rerun")
SKUS = ("sentinel-scenes", "terrain-maps", "station-documents", "radar-strips", "ocean-grids")
RARE = "quartz"
_STATUSES = {
    "fulfilled": 60, "expired": 20, "cancelled": 8, "fulfilled_with_warnings": 5, "failed": 3, "provisioning": 2,
    "validating": 0.5, "pending_payment": 0.5, "draft": 0.5, "paused": 0.3, "deleted": 0.2,
}  # fmt: skip

_ORDER = (
    "id", "number", "customer", "label", "skus", "product_names", "status", "status_at", "version", "total_price",
    "currency", "created_at", "started_at", "expires_at", "objects_total", "files_total", "bytes_total",
    "files_available", "files_failed", "bytes_settled",
)  # fmt: skip
_ITEM = ("order_id", "position", "product_id", "sku", "name", "quantity", "unit_price", "line_total")
_SUBORDER = (
    "order_id", "number", "sku", "tier", "location", "state", "objects_total", "files_total", "bytes_total",
)  # fmt: skip


def load(url: str, orders: int, said: Callable[[str], None]) -> None:
    """Fill an empty, migrated database; the indexes of lists are built when everything is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        indexes = _without_indexes(connection)
        for start in range(0, orders, BATCH):
            rows = list(_orders(start, min(start + BATCH, orders), orders))
            _copy(connection, "orders", _ORDER, rows)
            _copy(connection, "order_items", _ITEM, map(_item, rows))
            _copy(connection, "suborders", _SUBORDER, map(_suborder, rows))
            said(f"{start + len(rows):,} orders")
        for definition in indexes:
            connection.execute(definition)
        said("indexes built")
        connection.execute("VACUUM ANALYZE orders, order_items, suborders, order_counts")


def _without_indexes(connection: psycopg.Connection[Any]) -> list[sql.SQL]:
    """Drop the indexes that are no constraints; how to make them again."""
    found = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename IN ('orders', 'suborders') AND indexname LIKE 'ix\\_%'"
    ).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [sql.SQL(definition) for _, definition in found]


def _copy(connection: psycopg.Connection[Any], table: str, columns: tuple[str, ...], rows: Iterable[Any]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)) as copy:
        for row in rows:
            copy.write_row(row)


def _orders(start: int, stop: int, orders: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(start)  # noqa: S311 - nothing is secret
    step = timedelta(days=900) / orders
    statuses = chance.choices(list(_STATUSES), list(_STATUSES.values()), k=stop - start)
    for n, status in zip(range(start, stop), statuses, strict=True):
        at = BEGIN + step * n
        files = chance.randint(1, 400)
        size = files * chance.randint(10_000, 90_000_000)
        words = chance.sample(WORDS, 3) + ([RARE] if n % (orders // 20 or 1) == 7 else [])
        sku = SKUS[min(int(chance.expovariate(1)), len(SKUS) - 1)]
        done = status in {"fulfilled", "expired", "fulfilled_with_warnings"}
        failed = chance.randint(1, files) if status in {"fulfilled_with_warnings", "failed"} else 0
        customer = f"person-{min(int(chance.expovariate(0.005)), CUSTOMERS - 1):04d}@example.org"
        yield (
            uuid.UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | n), f"CO-2024-{n:06d}", customer,
            f"{' '.join(words)} {n}", [sku], [sku.replace("-", " ").title()], status, at + timedelta(hours=3), 5,
            "0.00", "EUR", at, at, at + timedelta(days=7) if done else None, max(files // 3, 1), files, size,
            files - failed if done else 0, failed, size if done else 0,
        )  # fmt: skip


def _item(order: tuple[Any, ...]) -> tuple[Any, ...]:
    return order[0], 1, 1, order[4][0], order[5][0], order[14], "0.00", "0.00"


def _suborder(order: tuple[Any, ...]) -> tuple[Any, ...]:
    waits = order[6].startswith("fulfilled") and hash(order[0]) % 10 == 0
    states = {"fulfilled": "downloaded", "expired": "expired", "provisioning": "staging", "failed": "failed"}
    state = "ready" if waits else states.get(order[6], "cancelled")
    return order[0], 1, order[4][0], "online", "/archive", state, order[14], order[15], order[16]
