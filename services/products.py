"""Products as administrators set them: what they are called, what they cost, who may order them and how much."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.errors import InvalidProduct, NotFound
from models.products import SETTABLE, marks_after, tidied_change
from models.queries.selections import products_by_sku
from models.tables import AdminAct, Product

PRODUCT = "product"
"""The kind of an act on a product; its subject is the SKU."""


async def get_product(session: AsyncSession, sku: str, groups: Collection[str] | None) -> Product:
    """Get a product that is open to the groups, any for None. Raises NotFound."""
    product = (await session.execute(products_by_sku([sku], groups))).scalar_one_or_none()
    if product is None:
        raise NotFound("product", sku)
    return product


async def change_product(
    session: AsyncSession,
    caller: Caller,
    sku: str,
    fields: Mapping[str, Any],
    expect: Callable[[Product], None],
    now: datetime,
) -> Product:
    """Set attributes of a product, and write down who did; what is set to None goes by its source again.

    Raises NotFound, InvalidProduct with every fault, or what `expect` raises. Doing it again does nothing.
    """
    product = await get_product(session, sku, caller.admitted)
    # Locked before it is compared: nothing may change between the comparison and the change.
    await session.refresh(product, with_for_update=True)
    expect(product)
    before = _attributes(product)
    kept, faults = tidied_change(fields, before)
    if faults:
        raise InvalidProduct(faults)
    product.set_by_hand = marks_after(product.set_by_hand, kept)
    for name, value in kept.items():
        # What a source says is only known at the next import; of the rest it says nothing.
        if value is not None or not SETTABLE[name]:
            setattr(product, name, value)
    after = _attributes(product)
    changes = {name: [_plain(before[name]), _plain(after[name])] for name in after if before[name] != after[name]}
    if changes:
        session.add(product)
        session.add(AdminAct(at=now, actor=caller.actor, kind=PRODUCT, subject=sku, changes=changes))
        await session.flush()
    return product


def _attributes(product: Product) -> dict[str, Any]:
    return {name: getattr(product, name) for name in (*SETTABLE, "set_by_hand")}


def _plain(value: Any) -> Any:
    """A value as JSON; an amount keeps its digits."""
    return format(value, "f") if isinstance(value, Decimal) else value
