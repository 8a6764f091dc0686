"""The cart of a customer: one, whatever device it is looked at with. Its changes follow each other (ADR 0041).

`version` grows with all that can be seen of a cart: what is put in and taken out, but also prices, and what the
catalogue has changed or lost since. Totals are kept, and counted again where they may have become others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.errors import NotFound
from models.queries import cart as queries
from models.queries import cart_counting as counting
from models.tables import Cart, CartPart, CartProduct, CartSelection, CartVersion, Product


@dataclass(frozen=True)
class ProductInCart:
    """What a cart holds of a product; `product` is None where it is gone or closed to the customer."""

    row: CartProduct
    product: Product | None
    parts: Sequence[CartPart]

    @property
    def is_stale(self) -> bool:
        """Whether the catalogue has changed since it was counted."""
        return self.product is not None and self.product.revision != self.row.revision

    @property
    def gone(self) -> int:
        """How many of its objects cannot be had any more."""
        return self.row.objects + self.row.gone if self.product is None else self.row.gone

    @property
    def seen(self) -> dict[str, Any]:
        """What the customer sees of it, in short."""
        row, product = self.row, self.product
        if product is None:
            return {"name": row.name, "gone": self.gone, "objects": 0}
        return {
            "name": product.name,
            "objects": row.objects,
            "files": row.files,
            "bytes": row.bytes,
            "gone": row.gone,
            "filter": row.file_filter,
            "price": str(product.unit_price.normalize()),
            "currency": product.currency,
        }


@dataclass(frozen=True)
class CartView:
    """A cart as its customer sees it."""

    cart: Cart
    selections: Sequence[CartSelection] = ()
    products: Sequence[ProductInCart] = ()

    @cached_property
    def orderable(self) -> list[ProductInCart]:
        """What can be had of it."""
        return [found for found in self.products if found.product is not None]

    @property
    def is_stale(self) -> bool:
        """Whether something of it has changed since it was counted, or since it was last seen."""
        return any(found.is_stale for found in self.products) or self.seen != self.cart.seen

    @cached_property
    def seen(self) -> dict[str, Any]:
        """What the customer sees of it, in short; nothing of an empty one."""
        if not self.selections:
            return {}
        return {
            "selections": {str(selection.number): selection.kind for selection in self.selections},
            "products": {found.row.sku: found.seen for found in self.products},
        }


@dataclass
class Totals:
    """How much something comes to."""

    objects: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, more: CartPart | CartProduct) -> None:
        """Add what a part comes to."""
        self.objects += more.objects
        self.files += more.files
        self.bytes += more.bytes


async def view_cart(session: AsyncSession, caller: Caller) -> CartView:
    """Look at the caller's cart; it is empty where they have never had one."""
    cart = (await session.execute(queries.cart_of(caller.customer))).scalar_one_or_none()
    if cart is None:
        return CartView(Cart(customer=caller.customer, version=0, last_selection=0, seen={}))
    view = await _look(session, caller, cart)
    return await settle(session, caller, await lock_cart(session, caller)) if view.is_stale else view


async def lock_cart(session: AsyncSession, caller: Caller) -> Cart:
    """Let nobody else change the caller's cart until the transaction ends."""
    await session.execute(queries.new_cart(caller.customer))
    query = queries.cart_of(caller.customer).with_for_update().execution_options(populate_existing=True)
    return (await session.execute(query)).scalar_one()


async def settle(session: AsyncSession, caller: Caller, cart: Cart) -> CartView:
    """Count again what is out of date in a locked cart; where it looks different now, it is another version."""
    await session.execute(queries.REMOVE_EMPTY_PRODUCTS, {"cart": cart.id})
    stale = [found for found in (await _look(session, caller, cart)).products if found.is_stale]
    if stale:
        await _count_all(session, cart, {f.row.product_id: f.product.revision for f in stale if f.product})
    await session.execute(queries.REMOVE_EMPTY_SELECTIONS, {"cart": cart.id})
    view = await _look(session, caller, cart)
    if view.seen != cart.seen:
        cart.version += 1
        cart.seen = view.seen
        session.add(CartVersion(cart_id=cart.id, version=cart.version, seen=view.seen))
        await session.execute(queries.forget_versions(cart.id, cart.version))
        await session.flush()
    return view


async def _count_all(session: AsyncSession, cart: Cart, revisions: Mapping[int, int]) -> None:
    among = {"cart": cart.id, "products": [*revisions], "selection": None}
    await _plan_for(session, (await session.execute(queries.held_in(cart.id))).scalar_one())
    await session.execute(counting.ZERO, {**among, "revisions": [*revisions.values()]})
    await session.execute(counting.COUNT_ALL, {**among, "sign": 1})
    await session.execute(counting.COUNT_PARTS, among)


async def count_selection(session: AsyncSession, cart: Cart, number: int, held: int, *, sign: int) -> None:
    """Add what a selection of so many objects brings to the totals, or take it away before it goes."""
    parts = (await session.execute(queries.PRODUCTS_OF_SELECTION, {"cart": cart.id, "selection": number})).scalars()
    among = {"cart": cart.id, "products": list(parts), "selection": number}
    await _plan_for(session, held)
    await session.execute(counting.COUNT_SELECTION, {**among, "sign": sign})
    if sign > 0:
        await session.execute(counting.COUNT_PARTS, among)


async def _plan_for(session: AsyncSession, held: int) -> None:
    await session.execute(counting.HASHED, {"nested": "off" if held >= counting.MANY else "on"})


async def remove_selection(session: AsyncSession, caller: Caller, cart: Cart, number: int) -> CartView:
    """Take a selection out of a locked cart. Raises NotFound."""
    held = sum(part.objects for part in await _parts(session, cart) if part.selection == number)
    await count_selection(session, cart, number, held, sign=-1)
    *_, removed = [await session.execute(statement) for statement in queries.remove_selection(cart.id, number)]
    if not removed.rowcount:  # type: ignore[attr-defined]
        raise NotFound("selection in your cart with the number", number)
    return await settle(session, caller, cart)


async def remove_product(session: AsyncSession, caller: Caller, cart: Cart, sku: str) -> CartView:
    """Take all of a product out of a locked cart. Raises NotFound."""
    row = await product_in(session, cart, sku)
    for statement in queries.remove_product(cart.id, row.product_id):
        await session.execute(statement)
    return await settle(session, caller, cart)


async def clear(session: AsyncSession, caller: Caller, cart: Cart) -> CartView:
    """Empty a locked cart."""
    for statement in queries.clear(cart.id):
        await session.execute(statement)
    return await settle(session, caller, cart)


async def product_in(session: AsyncSession, cart: Cart, sku: str) -> CartProduct:
    """What a cart holds of a product. Raises NotFound."""
    row = (await session.execute(queries.product_in(cart.id, sku))).scalar_one_or_none()
    if row is None:
        raise NotFound("product in your cart with the SKU", sku)
    return row


async def _look(session: AsyncSession, caller: Caller, cart: Cart) -> CartView:
    parts = await _parts(session, cart)
    products = [
        ProductInCart(row, product, [part for part in parts if part.product_id == row.product_id])
        for row, product in await session.execute(queries.products_in(cart.id, caller.admitted))
    ]
    selections = (await session.execute(queries.selections_in(cart.id))).scalars().all()
    return CartView(cart, selections, products)


async def _parts(session: AsyncSession, cart: Cart) -> Sequence[CartPart]:
    return (await session.execute(queries.parts_in(cart.id))).scalars().all()
