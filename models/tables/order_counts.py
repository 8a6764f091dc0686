"""How many orders there are of each status, counted while they change."""

# No `from __future__ import annotations` in table modules: SQLModel reads the annotations at run time.
import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class OrderCount(SQLModel, table=True):
    """A part of a counter, kept by triggers on `orders`; the sum over its shards is the count.

    An empty `customer` stands for everybody. Each connection writes a shard of its own (`slot`), mostly, so that nobody
    waits for another's transaction. `changes` grows with every change of a status or version.
    """

    __tablename__ = "order_counts"
    __table_args__ = ({"postgresql_with": {"fillfactor": "50"}},)

    customer: str = Field(primary_key=True, sa_type=sa.Text)
    status: str = Field(primary_key=True, sa_type=sa.Text)
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    orders: int = Field(sa_type=sa.BigInteger)
    changes: int = Field(sa_type=sa.BigInteger)
