"""What an order would be, and what one may order."""

from fastapi import APIRouter, Request

from api.dependencies import ReaderDep, ServicesDep
from api.http.answers import answers
from api.orders.estimate_schemas import EstimatePublic, estimate_public
from api.orders.quotas import QuotasPublic, quota_public, report_quotas
from api.orders.schemas import OrderCreate
from models.errors import LabelTaken
from services.estimating import estimate
from services.quotas import get_quotas

router = APIRouter(tags=["orders"])


@router.post("/orders:estimate", name="estimate-order")
@answers(LabelTaken)
async def estimate_order(
    body: OrderCreate, request: Request, services: ServicesDep, caller: ReaderDep
) -> EstimatePublic:
    """What an order would be: sub-orders, sizes, price, quotas and everything against it. Nothing is created."""
    async with services.sessions.begin() as session:
        shop = await services.shop_settings(session)
        found = await estimate(
            session,
            caller,
            body.to_request(),
            services.now(),
            limits=shop.limits,
            quotas=shop.quotas,
            check=services.storage_check,
        )
    report_quotas(request, found.quotas)
    return estimate_public(found)


@router.get("/quotas", name="list-quotas")
async def list_quotas(request: Request, services: ServicesDep, caller: ReaderDep) -> QuotasPublic:
    """Your limits, and how far they are used."""
    async with services.sessions.begin() as session:
        shop = await services.shop_settings(session)
        quotas = await get_quotas(session, shop.quotas, caller.customer, services.now())
    report_quotas(request, quotas)
    return QuotasPublic(items=[quota_public(quota) for quota in quotas])
