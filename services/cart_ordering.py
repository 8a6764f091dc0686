"""Orders what is in a cart, if it is what its customer has seen, and empties the cart with that."""

from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.cart_difference import differences
from models.errors import CartChanged
from models.queries import cart as queries
from models.tables import Order
from services.cart import clear, lock_cart, settle


async def order_cart(
    session: AsyncSession, caller: Caller, version: int, place: Callable[[], Coroutine[Any, Any, Order]]
) -> Order:
    """Have what is in the caller's cart placed, and empty it. Raises CartChanged where it is no more what was seen.

    Of two at once the second waits for the first, and finds the cart empty.
    """
    cart = await lock_cart(session, caller)
    view = await settle(session, caller, cart)
    if cart.version != version:
        before = (await session.execute(queries.seen_in(cart.id, version))).scalar_one_or_none()
        raise CartChanged(cart.version, list(differences(before, view.seen)))
    order = await place()
    await clear(session, caller, cart)
    return order
