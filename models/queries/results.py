"""Queries for the results of an order: the objects of its ready sub-orders, and their files."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.status_facts import AVAILABLE_FILES, AVAILABLE_SUBORDERS
from models.tables import CatalogueFile, OrderFile, SubOrder


def _files_there(order_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions of files that can be had, of sub-orders that are ready."""
    ready = sa.exists().where(
        col(SubOrder.order_id) == col(OrderFile.order_id),
        col(SubOrder.number) == col(OrderFile.suborder),
        col(SubOrder.state).in_(AVAILABLE_SUBORDERS),
    )
    return col(OrderFile.order_id) == order_id, col(OrderFile.state).in_(AVAILABLE_FILES), ready


def time_span(order_id: UUID) -> sa.Select[int | None, int | None]:
    """When the oldest and the newest file was last written to, in ns since 1970."""
    times = sa.func.min(col(OrderFile.modified_ns)), sa.func.max(col(OrderFile.modified_ns))
    return sa.select(*times).where(*_files_there(order_id))


def objects_there(
    order_id: UUID, *, suborder: int | None = None, after: int = 0, limit: int | None = None
) -> sa.Select[int, int, str]:
    """The number of its first file, the sub-order and the name of each object that can be had, in their order."""
    first = sa.func.min(col(OrderFile.seq))
    query = sa.select(first, col(OrderFile.suborder), col(OrderFile.object_name)).where(*_files_there(order_id))
    if suborder is not None:
        query = query.where(col(OrderFile.suborder) == suborder)
    query = query.group_by(col(OrderFile.suborder), col(OrderFile.object_name)).having(first > after)
    return query.order_by(first).limit(limit)


def object_at(order_id: UUID, seq: int) -> sa.Select[int, int, str]:
    """The same of the object whose first file has this number; no row where there is none."""
    name = sa.select(col(OrderFile.object_name)).where(col(OrderFile.order_id) == order_id, col(OrderFile.seq) == seq)
    part = sa.select(col(OrderFile.suborder)).where(col(OrderFile.order_id) == order_id, col(OrderFile.seq) == seq)
    return objects_there(order_id, after=seq - 1, limit=1).where(
        col(OrderFile.object_name) == name.scalar_subquery(), col(OrderFile.suborder) == part.scalar_subquery()
    )


def files_of_objects(order_id: UUID, objects: list[tuple[int, str]]) -> sa.Select[OrderFile, str]:
    """The files of these objects, given by sub-order and name, each with the kind the catalogue knows it as."""
    return (
        sa.select(OrderFile, sa.func.coalesce(col(CatalogueFile.kind), "data"))
        .outerjoin(CatalogueFile, col(CatalogueFile.id) == col(OrderFile.file_id))
        .where(*_files_there(order_id), sa.tuple_(col(OrderFile.suborder), col(OrderFile.object_name)).in_(objects))
        .order_by(col(OrderFile.seq))
    )
