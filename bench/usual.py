"""What lists of orders are usually made of, to compare with: ORM objects, OFFSET, a count, ILIKE, pydantic."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import FastAPI, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import col

from models.tables import Order, OrderItem


class Row(BaseModel):
    """An order."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    customer: str
    label: str
    skus: list[str]
    status: str
    status_at: datetime
    created_at: datetime
    expires_at: datetime | None
    objects_total: int
    files_total: int
    files_available: int
    files_failed: int
    bytes_total: int
    bytes_settled: int


class Page(BaseModel):
    """A page."""

    items: list[Row]
    total: int
    counts: dict[str, int]


def create_app(sessions: async_sessionmaker[AsyncSession]) -> FastAPI:
    """The application."""
    app = FastAPI()

    @app.get("/orders")
    async def orders(
        status: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
        q: str | None = None,
        customer: str | None = None,
        offset: int = 0,
        limit: int = 50,
        sort: str = "created_at",
    ) -> Page:
        where = _where(status, q, customer)
        query = sa.select(Order).where(*where).order_by(getattr(Order, sort).desc()).offset(offset).limit(limit)
        async with sessions() as session:
            items = (await session.execute(query)).scalars().all()
            total = (await session.execute(sa.select(sa.func.count(col(Order.id))).where(*where))).scalar_one()
            by_status = sa.select(col(Order.status), sa.func.count()).where(*where).group_by(col(Order.status))
            counts = dict((await session.execute(by_status)).tuples().all())
        return Page(items=[Row.model_validate(item) for item in items], total=total, counts=counts)

    @app.get("/orders.csv")
    async def export() -> StreamingResponse:
        return StreamingResponse(_csv(sessions), media_type="text/csv")

    return app


def _where(statuses: list[str], q: str | None, customer: str | None) -> list[Any]:
    where: list[Any] = [col(Order.status) != "deleted"]
    if statuses:
        where.append(col(Order.status).in_(statuses))
    if customer:
        where.append(col(Order.customer) == customer)
    if q:
        item = sa.exists().where(col(OrderItem.order_id) == col(Order.id), _like(q, OrderItem.sku, OrderItem.name))
        where.append(sa.or_(_like(q, Order.number, Order.label, Order.customer), item))
    return where


def _like(q: str, *columns: Any) -> sa.ColumnElement[bool]:
    return sa.or_(*(col(column).ilike(f"%{q}%") for column in columns))


async def _csv(sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[str]:
    async with sessions() as session:
        query = sa.select(Order).where(col(Order.status) != "deleted").order_by(col(Order.created_at).desc())
        async for orders in (await session.stream_scalars(query.execution_options(yield_per=1000))).partitions():
            block = io.StringIO()
            rows = [Row.model_validate(order).model_dump(mode="json").values() for order in orders]
            csv.writer(block).writerows(rows)
            yield block.getvalue()
