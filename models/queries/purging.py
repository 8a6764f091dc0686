"""What is removed for good."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningDelete
from sqlmodel import col

from models.order import OrderStatus
from models.tables import Order


def purge_deleted(*, before: datetime) -> ReturningDelete[str]:
    """Remove orders that were deleted before an instant, with everything that hangs on them."""
    return (
        sa.delete(Order)
        .where(col(Order.status) == OrderStatus.DELETED, col(Order.status_at) < before)
        .returning(col(Order.number))
    )
