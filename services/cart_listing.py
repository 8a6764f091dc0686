"""Lists what is in a cart, object by object."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models.queries.cart_listing import objects_in
from services.cart import CartView


class ObjectInCart(NamedTuple):
    """An object that can be had, with what of it is in the cart and the selections that hold it."""

    product: str
    id: UUID
    name: str
    files: int
    bytes: int
    selections: Sequence[int]


async def list_objects(
    session: AsyncSession, view: CartView, product: str, name: str, limit: int
) -> list[ObjectInCart]:
    """A page of what is in a cart by product and name, behind an object of a product."""
    listed: list[ObjectInCart] = []
    for found in sorted(view.orderable, key=lambda found: found.row.sku):
        sku, row = found.row.sku, found.row
        if sku < product or len(listed) >= limit:
            continue
        after = name if sku == product else ""
        keys = {"cart": view.cart.id, "product": row.product_id, "after": after, "limit": limit - len(listed)}
        rows = await session.execute(objects_in(row.objects + row.gone), keys)
        listed.extend(ObjectInCart(sku, *values) for values in rows)
    return listed
