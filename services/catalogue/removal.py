"""Removes a product from the catalogue. Its files stay where they are, and orders keep what they have."""

from typing import Final

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.errors import NotFound
from models.quotas import OPEN
from models.status_facts import sql_list
from services.catalogue import withdrawals

_PRODUCT: Final = """
    SELECT p.id, p.name,
        (SELECT count(*) FROM catalogue_objects o WHERE o.product_id = p.id) AS objects,
        (SELECT count(*) FROM catalogue_files f JOIN catalogue_objects o ON o.id = f.object_id
            WHERE o.product_id = p.id) AS files
    FROM products p WHERE p.sku = :sku
"""

_WAITING: Final = sa.text(f"""
    SELECT DISTINCT r.number FROM orders r JOIN order_items i ON i.order_id = r.id
    WHERE i.product_id = :product AND r.status IN ({sql_list(OPEN)})
        AND NOT EXISTS (SELECT FROM suborders s WHERE s.order_id = r.id)
    ORDER BY r.number
""")  # noqa: S608 - our own words


class ProductRemoval(BaseModel):
    """What goes with a product; `orders` are those that select of it and are not planned yet: they will be refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: str
    name: str
    objects: int
    files: int
    orders: tuple[str, ...] = ()


async def preview_removal(sessions: async_sessionmaker[AsyncSession], sku: str) -> ProductRemoval:
    """Tell what would go. Raises NotFound."""
    async with sessions.begin() as session:
        return (await _removal(session, sku))[1]


async def remove_product(sessions: async_sessionmaker[AsyncSession], sku: str) -> ProductRemoval:
    """Remove a product with all of its objects; if its SKU is imported again, its orders find it. Raises NotFound."""
    async with sessions.begin() as session:
        # Locked like in an import: of the two, one comes after the other.
        product, removal = await _removal(session, sku, lock=True)
        await withdrawals.withdraw_product(session, product)
    return removal


async def _removal(session: AsyncSession, sku: str, *, lock: bool = False) -> tuple[int, ProductRemoval]:
    query = sa.text(f"{_PRODUCT} FOR UPDATE OF p" if lock else _PRODUCT)
    row = (await session.execute(query, {"sku": sku})).mappings().one_or_none()
    if row is None:
        raise NotFound("product", sku)
    orders = (await session.execute(_WAITING, {"product": row["id"]})).scalars().all()
    counts = {key: row[key] for key in ("name", "objects", "files")}
    return row["id"], ProductRemoval(sku=sku, orders=tuple(orders), **counts)
