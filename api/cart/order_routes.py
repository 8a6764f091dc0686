"""What is in the cart, as an order: estimated, and placed if it is what its customer has seen."""

from fastapi import APIRouter, Request, Response

from api.cart.schemas import CartOrder, version_meant
from api.dependencies import CallerDep, ReaderDep, ServicesDep
from api.http.answers import IF_MATCH, LOCATION, answers
from api.http.idempotency import IdempotentDep
from api.orders.estimate_schemas import EstimatePublic, estimate_public
from api.orders.lookup import detail_of
from api.orders.quotas import report_quotas
from api.orders.schemas import OrderDetail
from api.orders.starting import start_workflow
from models.access import Permission
from models.errors import CartChanged, InvalidOrder, LabelTaken, QuotaExceeded
from models.tables import Order
from services.cart_ordering import order_cart
from services.estimating import estimate
from services.placing import place
from services.quotas import get_quotas
from temporal.start import OrderStart

router = APIRouter(tags=["cart"])


@router.post("/cart:estimate", name="estimate-cart")
async def estimate_cart(
    request: Request, services: ServicesDep, caller: ReaderDep, body: CartOrder | None = None
) -> EstimatePublic:
    """What an order of the cart would be. Nothing is created."""
    async with services.sessions.begin() as session:
        shop = await services.shop_settings(session)
        found = await estimate(
            session,
            caller,
            (body or CartOrder()).to_request(),
            services.now(),
            limits=shop.limits,
            quotas=shop.quotas,
            check=services.storage_check,
        )
    report_quotas(request, found.quotas)
    return estimate_public(found)


@router.post("/cart:order", name="order-cart", status_code=201, response_model=OrderDetail)
@answers(CartChanged, InvalidOrder, LabelTaken, QuotaExceeded, LOCATION, IF_MATCH)
async def place_cart(
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    idempotent: IdempotentDep,
    body: CartOrder | None = None,
) -> Response:
    """Order what is in the cart, if it is the version that you have seen, and empty it."""
    # Who may not read has seen no version, and is not told what has changed since.
    caller.require(Permission.READ)
    given = body or CartOrder()
    version = version_meant(request, given)
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        quotas = (await services.shop_settings(session)).quotas

        async def placed() -> Order:
            wanted, check = given.to_request(), services.storage_check
            return await place(session, caller, wanted, services.now(), quotas, check)

        order = await order_cart(session, caller, version, placed)
        detail = await detail_of(session, services, order, caller)
        report_quotas(request, await get_quotas(session, quotas, caller.customer, services.now()))
        answer = await idempotent.respond(session, caller, detail, {"Location": detail.links.self})
    await start_workflow(services, OrderStart(order, detail.products))
    return answer
