"""What is removed for good."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningDelete
from sqlmodel import col

from models.order import OrderStatus
from models.tables import Bulk, Order


def purge_deleted(*, before: datetime) -> ReturningDelete[str]:
    """Remove orders that were deleted before an instant, with everything that hangs on them."""
    return (
        sa.delete(Order)
        .where(col(Order.status) == OrderStatus.DELETED, col(Order.status_at) < before)
        .returning(col(Order.number))
    )


def purge_bulks(*, before: datetime) -> sa.Delete:
    """Forget the bulks that ended before an instant, with what became of each of their orders."""
    return sa.delete(Bulk).where(col(Bulk.finished_at) < before)
