"""Queries for what administrators did."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.tables import AdminAct


def acts_on(kind: str, subject: str, *, before: UUID | None, limit: int) -> sa.Select[AdminAct]:
    """A page of the acts on a subject, the newest first."""
    older = sa.true() if before is None else col(AdminAct.id) < before
    query = sa.select(AdminAct).where(col(AdminAct.kind) == kind, col(AdminAct.subject) == subject, older)
    return query.order_by(col(AdminAct.id).desc()).limit(limit)
