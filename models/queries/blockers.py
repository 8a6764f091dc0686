"""Queries for blockers: why an order does not move just now, though it is tried again and again by itself."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.order import TERMINAL, OrderStatus
from models.status_facts import AVAILABLE_SUBORDERS, sql_list
from models.steps import Step
from models.suborder import SubOrderState
from models.tables import Blocker

OF_THE_ORDER = 0
"""Stands for the order itself where a sub-order's number would be."""

_VALUES = ":step, :code, :text, now(), :attempts, CAST(:next_try_at AS timestamptz)"

_UPSERT = """
    ON CONFLICT (order_id, suborder) DO UPDATE SET code = excluded.code, text = excluded.text, step = excluded.step,
        attempts = excluded.attempts, next_try_at = excluded.next_try_at,
        since = CASE troubles.step WHEN excluded.step THEN troubles.since ELSE excluded.since END
    RETURNING order_id
"""

NOTE_OF_SUBORDER = sa.text(
    f"""
    INSERT INTO troubles (order_id, suborder, step, code, text, since, attempts, next_try_at)
    SELECT order_id, number, {_VALUES} FROM suborders
    WHERE order_id = :order_id AND number = :number
      AND (CAST(:attempt AS integer) IS NULL OR attempt = :attempt)
      AND (CAST(:states AS text[]) IS NULL OR state = ANY(:states))
    FOR SHARE {_UPSERT}
    """  # noqa: S608 - the words are our own
)
"""Note what holds up a sub-order; of attempts that claim it only the newest may. `since` is when the step began to."""

NOTE_OF_ORDER = sa.text(
    f"""
    INSERT INTO troubles (order_id, suborder, step, code, text, since, attempts, next_try_at)
    SELECT id, {OF_THE_ORDER}, {_VALUES} FROM orders
    WHERE id = :order_id AND (CAST(:statuses AS text[]) IS NULL OR status = ANY(:statuses))
    FOR SHARE {_UPSERT}
    """  # noqa: S608 - the words are our own
)
"""Note what holds up an order as a whole."""

_SHOWN = f"""
    FROM troubles t JOIN orders o ON o.id = t.order_id
    LEFT JOIN suborders s ON s.order_id = t.order_id AND s.number = t.suborder
    LEFT JOIN deliveries d ON d.order_id = t.order_id AND d.suborder = t.suborder
    LEFT JOIN destinations p ON p.id = o.destination_id
    WHERE t.order_id = ANY(:order_ids)
      AND CASE
        WHEN t.suborder = {OF_THE_ORDER} THEN o.status NOT IN ({sql_list(TERMINAL)})
        WHEN t.step = '{Step.DELIVERING}'
            THEN o.status = '{OrderStatus.PROVISIONING}' AND s.state IN ({sql_list(AVAILABLE_SUBORDERS)})
                AND d.order_id IS NULL
        ELSE o.status = '{OrderStatus.PROVISIONING}' AND s.state = '{SubOrderState.STAGING}'
      END
"""
_COLUMNS = "t.order_id, t.suborder, t.step, t.code, t.text, t.since, t.attempts, t.next_try_at, p.kind"

BLOCKERS = sa.text(f"SELECT DISTINCT ON (t.order_id) {_COLUMNS} {_SHOWN} ORDER BY t.order_id, t.since, t.suborder")
"""The oldest blocker of each of the orders that has one now; `kind` is that of its destination."""

BLOCKERS_OF_SUBORDERS = sa.text(f"SELECT {_COLUMNS} {_SHOWN} AND t.suborder <> {OF_THE_ORDER} ORDER BY t.suborder")
"""What holds up each sub-order of the orders."""


def code_of(order_id: UUID, number: int, step: str) -> sa.Select[str]:
    """The code of what a step is known to be held up by."""
    return sa.select(col(Blocker.code)).where(
        col(Blocker.order_id) == order_id, col(Blocker.suborder) == number, col(Blocker.step) == step
    )


def clear_of_order(order_id: UUID) -> sa.Delete:
    """Clear the blockers of an order that changes its status: whatever held it up is over, or will be noted again."""
    return sa.delete(Blocker).where(col(Blocker.order_id) == order_id)


def clear_of_suborder(order_id: UUID, number: int) -> sa.Delete:
    """A sub-order that moves is not held up any more."""
    return clear_of_order(order_id).where(col(Blocker.suborder) == number)


def clear_of_step(order_id: UUID, number: int, step: str) -> sa.Delete:
    """A step that has succeeded holds nothing up any more."""
    return clear_of_suborder(order_id, number).where(col(Blocker.step) == step)
