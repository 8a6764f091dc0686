"""The cart of whoever asks: looked at, filled and emptied."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.cart.schemas import (
    AddedPublic,
    CartObjectPublic,
    CartObjectsPublic,
    CartPublic,
    SelectionCreate,
    added_public,
    cart_public,
)
from api.catalogue.routes import LongCursor
from api.dependencies import CallerDep, ServicesDep
from api.http.answers import CONDITIONS, ETAG, IF_MATCH, LOCATION, answers
from api.http.etags import require_match, tagged
from api.http.idempotency import IdempotentDep
from api.orders.routes import NOT_MODIFIED
from api.schemas import EXACT, PageLimit
from models.access import Caller
from models.cart import SelectionKind
from models.errors import InvalidCursor, NotFound, NothingAdded, PreconditionFailed, QuotaExceeded
from models.links import API
from models.tables import Cart
from services import cart as carts
from services.cart_adding import Added, CartFiller
from services.cart_listing import list_objects

router = APIRouter(prefix="/cart", tags=["cart"])

SelectionNumber = Annotated[int, Path(ge=1, le=EXACT)]


@router.get("", name="show-cart", response_model=CartPublic, responses=NOT_MODIFIED)
@answers(ETAG, *CONDITIONS)
async def show_cart(request: Request, services: ServicesDep, caller: CallerDep) -> Response:
    """Your cart: the same on every device, with what it comes to."""
    async with services.sessions.begin() as session:
        view = await carts.view_cart(session, caller)
        return _tagged(request, view)


@router.get("/objects", name="list-cart-objects")
@answers(InvalidCursor)
async def list_cart_objects(
    services: ServicesDep, caller: CallerDep, limit: PageLimit = 100, cursor: LongCursor = None
) -> CartObjectsPublic:
    """What exactly is in the cart and can be had, after the filters."""
    cursors = services.cursors(caller, "objects in the cart")
    product, name = cursors.names(cursor)
    async with services.sessions.begin() as session:
        view = await carts.view_cart(session, caller)
        found = await list_objects(session, view, product, name, limit + 1)
    page, following = cursors.cut(found, limit, "product", "name")
    items = [CartObjectPublic(**one._asdict()) for one in page]
    return CartObjectsPublic(items=items, next_cursor=following)


@router.post("/selections", name="add-to-cart", status_code=201, response_model=AddedPublic)
@answers(NothingAdded, QuotaExceeded, LOCATION)
async def add_to_cart(
    body: SelectionCreate, services: ServicesDep, caller: CallerDep, idempotent: IdempotentDep
) -> Response:
    """Put objects into the cart. What cannot be ordered is told, and the rest goes in."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        added = await _add(CartFiller(session, caller, services.sources, services.now()), body)
        headers = {"Location": f"{services.public_url}{API}/cart"}
        return await idempotent.respond(session, caller, added_public(added), headers)


@router.delete("/selections/{number}", name="remove-cart-selection", response_model=CartPublic)
@answers(NotFound, PreconditionFailed, IF_MATCH)
async def remove_selection(
    number: SelectionNumber, request: Request, services: ServicesDep, caller: CallerDep
) -> Response:
    """Take a selection out; what others hold as well stays."""
    async with services.sessions.begin() as session:
        cart = await _locked(request, session, caller)
        return _tagged(request, await carts.remove_selection(session, caller, cart, number), changed=True)


@router.delete("/products/{sku}", name="remove-cart-product", response_model=CartPublic)
@answers(NotFound, PreconditionFailed, IF_MATCH)
async def remove_product(sku: str, request: Request, services: ServicesDep, caller: CallerDep) -> Response:
    """Take all of a product out, with its filter."""
    async with services.sessions.begin() as session:
        cart = await _locked(request, session, caller)
        return _tagged(request, await carts.remove_product(session, caller, cart, sku), changed=True)


@router.delete("", name="clear-cart", response_model=CartPublic)
@answers(PreconditionFailed, IF_MATCH)
async def clear_cart(request: Request, services: ServicesDep, caller: CallerDep) -> Response:
    """Empty the cart, with its filters, on every device."""
    async with services.sessions.begin() as session:
        cart = await _locked(request, session, caller)
        return _tagged(request, await carts.clear(session, caller, cart), changed=True)


async def _add(filler: CartFiller, body: SelectionCreate) -> Added:
    if body.objects is not None:
        return await filler.add_keys(SelectionKind.OBJECTS, body.objects, {}, ids=True, names=False)
    if body.names is not None:
        return await filler.add_keys(SelectionKind.NAMES, body.names, {}, ids=False, names=True)
    if body.search is not None:
        request = body.search.model_dump(mode="json", exclude_none=True)
        return await filler.add_search(body.search.product, body.search.criteria, request)
    return await filler.add_product(body.product or "")


async def _locked(request: Request, session: AsyncSession, caller: Caller) -> Cart:
    cart = await carts.lock_cart(session, caller)
    require_match(request, str(cart.version))
    return cart


def _tagged(request: Request, view: carts.CartView, *, changed: bool = False) -> Response:
    return tagged(request, cart_public(view), str(view.cart.version), changed=changed)
