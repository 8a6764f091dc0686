"""Orders once more: what can still be had of one goes into the cart."""

from uuid import UUID

from fastapi import APIRouter, Response

from api.cart.schemas import AddedPublic, added_public
from api.dependencies import CallerDep, ServicesDep
from api.http.answers import LOCATION, answers
from api.http.idempotency import IdempotentDep
from models.errors import NotFound, NothingAdded, QuotaExceeded
from models.links import API
from services.cart_adding import CartFiller
from services.cart_again import add_order
from services.order_lookup import get_owned

router = APIRouter(prefix="/orders/{order_id}", tags=["cart"])


@router.post("/add-to-cart", name="add-order-to-cart", status_code=201, response_model=AddedPublic)
@answers(NotFound, NothingAdded, QuotaExceeded, LOCATION)
async def add_order_to_cart(
    order_id: UUID, services: ServicesDep, caller: CallerDep, idempotent: IdempotentDep
) -> Response:
    """Put what can still be had of an order into your cart; what is gone is told, with the reason."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        old = await get_owned(session, caller, order_id)
        filler = CartFiller(session, caller, services.sources, services.now())
        added = added_public(await add_order(filler, old, services.storage_check))
        return await idempotent.respond(session, caller, added, {"Location": f"{services.public_url}{API}/cart"})
