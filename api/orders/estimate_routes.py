"""What an order would be, and what one may order."""

from fastapi import APIRouter, Request

from api.dependencies import ReaderDep, ServicesDep
from api.estimating import EstimatePublic, estimate
from api.orders.schemas import OrderCreate
from api.quotas import QuotasPublic, looked_up, quota_public, tell_all
from api.schemas import Problem

router = APIRouter(tags=["orders"])


@router.post("/orders:estimate", name="estimate-order", responses={422: {"model": Problem}})
async def estimate_order(
    body: OrderCreate, request: Request, services: ServicesDep, caller: ReaderDep
) -> EstimatePublic:
    """What an order would be: sub-orders, sizes, price, quotas and everything against it. Nothing is created."""
    async with services.sessions.begin() as session:
        shown, quotas = await estimate(session, services, caller, body)
    tell_all(request, quotas)
    return shown


@router.get("/quotas", name="list-quotas")
async def list_quotas(request: Request, services: ServicesDep, caller: ReaderDep) -> QuotasPublic:
    """Your limits, and how far they are used."""
    async with services.sessions.begin() as session:
        quotas = await looked_up(session, services.quotas, caller.customer, services.now())
    tell_all(request, quotas)
    return QuotasPublic(items=[quota_public(quota) for quota in quotas])
