"""Queries for blockers: why an order does not move just now, though it is tried again and again by itself."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.order import OrderStatus
from models.suborder import SubOrderState
from models.tables import Blocker

OF_THE_ORDER = 0
"""Stands for the order itself where a sub-order's number would be."""

_UPSERT = """
    ON CONFLICT (order_id, suborder) DO UPDATE SET code = excluded.code, text = excluded.text
"""

NOTE_OF_SUBORDER = sa.text(
    f"""
    INSERT INTO troubles (order_id, suborder, code, text, since)
    SELECT order_id, number, :code, :text, now() FROM suborders
    WHERE order_id = :order_id AND number = :number AND attempt = :attempt AND state = '{SubOrderState.STAGING}'
    FOR SHARE {_UPSERT}
    """  # noqa: S608 - the words are our own enum
)
"""Note what holds up a sub-order; only its newest attempt may. `since` is when it began."""

NOTE_OF_ORDER = sa.text(
    f"""
    INSERT INTO troubles (order_id, suborder, code, text, since)
    SELECT id, {OF_THE_ORDER}, :code, :text, now() FROM orders
    WHERE id = :order_id AND status = '{OrderStatus.VALIDATING}'
    FOR SHARE {_UPSERT}
    """  # noqa: S608 - the words are our own enum
)
"""Note what holds up the validation of an order."""

BLOCKERS = sa.text(
    f"""
    SELECT DISTINCT ON (t.order_id) t.order_id, t.code, t.text, t.since
    FROM troubles t JOIN orders o ON o.id = t.order_id
    LEFT JOIN suborders s ON s.order_id = t.order_id AND s.number = t.suborder
    WHERE t.order_id = ANY(:order_ids)
      AND (o.status = '{OrderStatus.VALIDATING}' AND t.suborder = {OF_THE_ORDER}
           OR o.status = '{OrderStatus.PROVISIONING}' AND s.state = '{SubOrderState.STAGING}')
    ORDER BY t.order_id, t.since, t.suborder
    """  # noqa: S608 - the words are our own enum
)
"""The oldest blocker of each of the orders that has one now."""


def clear_of_order(order_id: UUID) -> sa.Delete:
    """Clear the blockers of an order that changes its status: whatever held it up is over, or will be noted again."""
    return sa.delete(Blocker).where(col(Blocker.order_id) == order_id)


def clear_of_suborder(order_id: UUID, number: int) -> sa.Delete:
    """A sub-order that moves is not held up any more."""
    return clear_of_order(order_id).where(col(Blocker.suborder) == number)
