"""The route of an order's invoice: as JSON, and as a page for people."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import CallerDep, ServicesDep
from api.http.answers import CACHE_CONTROL, answers
from api.http.preferences import preferred
from api.orders.invoice_page import PAGE_LANGUAGES, PAGE_POLICY, invoice_page
from api.orders.invoice_schemas import InvoicePublic, invoice_public
from models.errors import NotFound, NotInvoiced
from models.order import OrderStatus
from models.queries import orders as queries
from services.names import names_for
from services.order_lookup import get_owned

router = APIRouter(prefix="/orders", tags=["orders"])

_HTML = "text/html"
_AS_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {_HTML: {"schema": {"type": "string"}}}}}
_VARY = {"Vary": "Accept, Accept-Language"}


@router.get("/{order_id}/invoice", name="show-invoice-of-order", response_model=InvoicePublic, responses=_AS_HTML)
@answers(NotFound, NotInvoiced, CACHE_CONTROL)
async def show_invoice(
    order_id: UUID,
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    wanted: Annotated[Literal["json", "html"] | None, Query(alias="format")] = None,
) -> Response:
    """What an order cost when it was placed; a page where `Accept` or `format` asks for HTML."""
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        if order.status == OrderStatus.DRAFT:
            raise NotInvoiced
        items = (await session.execute(queries.items_of(order.id))).scalars().all()
        names = await names_for(session, caller, [order.customer])
    invoice = invoice_public(order, items, names.get(order.customer) or order.customer)
    accepted = ",".join(request.headers.getlist("accept"))
    kind = wanted or preferred(accepted, ("application/json", _HTML)).rpartition("/")[2]
    if kind == "json":
        return Response(invoice.model_dump_json(), headers=_VARY, media_type="application/json")
    language = preferred(",".join(request.headers.getlist("accept-language")), tuple(PAGE_LANGUAGES))
    headers = _VARY | {"Content-Security-Policy": PAGE_POLICY, "Content-Language": language}
    return Response(invoice_page(invoice, language), headers=headers, media_type=_HTML)
