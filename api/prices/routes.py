"""Routes by which administrators set prices: lists of groups, discounts and coupons, tax. Staff reads them."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from api.dependencies import PriceManagerDep, PriceReaderDep, ServicesDep
from api.http.answers import LOCATION, answers
from api.http.idempotency import IdempotentDep
from api.orders.schemas import Country
from api.prices.schemas import (
    DiscountBody,
    DiscountPublic,
    DiscountsPublic,
    ListPriceBody,
    ListPricePublic,
    ListPricesPublic,
    PriceTermsBody,
    TaxClass,
    TaxRateBody,
    TaxRatePublic,
    TaxRatesPublic,
    discount_public,
    list_price_public,
    tax_rate_public,
    terms_public,
)
from api.schemas import PageCursor, PageLimit
from models.errors import InvalidCursor, InvalidPrice, NotFound
from models.links import API
from models.queries import prices as queries
from services import price_settings as settings

router = APIRouter(prefix="/prices", tags=["prices"])

Group = Annotated[str, Path(max_length=200)]


@router.get("/lists", name="list-prices-of-groups")
@answers(InvalidCursor)
async def list_list_prices(
    services: ServicesDep, caller: PriceReaderDep, limit: PageLimit = 100, cursor: PageCursor = None
) -> ListPricesPublic:
    """What groups pay instead of products' own prices."""
    cursors = services.cursors(caller, "list prices")
    async with services.sessions.begin() as session:
        found = (await session.execute(queries.page_of_list_prices(cursors.id(cursor), limit + 1))).scalars().all()
    page, following = cursors.cut(found, limit, "id")
    return ListPricesPublic(items=[list_price_public(row) for row in page], next_cursor=following)


@router.put("/lists/{group:name}/{sku:name}", name="set-price-of-group")
@answers(InvalidPrice, NotFound)
async def set_list_price(
    group: Group, sku: str, body: ListPriceBody, services: ServicesDep, caller: PriceManagerDep
) -> ListPricePublic:
    """Set what a group pays for a product, in its currency and unit."""
    async with services.sessions.begin() as session:
        price = Decimal(body.unit_price)
        row = await settings.set_list_price(session, caller, group, sku, price, services.now())
        return list_price_public(row)


@router.delete("/lists/{group:name}/{sku:name}", name="remove-price-of-group", status_code=204)
@answers(NotFound)
async def remove_list_price(group: Group, sku: str, services: ServicesDep, caller: PriceManagerDep) -> None:
    """Let a group pay a product's own price."""
    async with services.sessions.begin() as session:
        await settings.remove_list_price(session, caller, group, sku, services.now())


@router.get("/discounts", name="list-discounts")
@answers(InvalidCursor)
async def list_discounts(
    services: ServicesDep, caller: PriceReaderDep, limit: PageLimit = 100, cursor: PageCursor = None
) -> DiscountsPublic:
    """The discounts and coupons, those that are over too."""
    cursors = services.cursors(caller, "discounts")
    async with services.sessions.begin() as session:
        found = (await session.execute(queries.page_of_discounts(cursors.id(cursor), limit + 1))).all()
    items = [discount_public(row, uses) for row, uses in found]
    page, following = cursors.cut(items, limit, "id")
    return DiscountsPublic(items=list(page), next_cursor=following)


@router.post("/discounts", name="create-discount", status_code=201, response_model=DiscountPublic)
@answers(InvalidPrice, LOCATION)
async def create_discount(
    body: DiscountBody, services: ServicesDep, caller: PriceManagerDep, idempotent: IdempotentDep
) -> Response:
    """Add a discount, or with a code a coupon."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        row = await settings.save_discount(session, caller, body.fields(), services.now())
        where = {"Location": f"{services.public_url}{API}/prices/discounts/{row.id}"}
        return await idempotent.respond(session, caller, discount_public(row, 0), where)


@router.get("/discounts/{discount_id}", name="show-discount")
@answers(NotFound)
async def show_discount(discount_id: UUID, services: ServicesDep, caller: PriceReaderDep) -> DiscountPublic:
    """A discount or coupon."""
    async with services.sessions.begin() as session:
        row = await settings.get_discount(session, discount_id)
        uses, _ = (await session.execute(queries.uses_of(row.id, "", None))).one()
        return discount_public(row, uses)


@router.put("/discounts/{discount_id}", name="change-discount")
@answers(InvalidPrice, NotFound)
async def change_discount(
    discount_id: UUID, body: DiscountBody, services: ServicesDep, caller: PriceManagerDep
) -> DiscountPublic:
    """Give a discount other terms, all of them; what it has taken off orders stays."""
    async with services.sessions.begin() as session:
        row = await settings.save_discount(session, caller, body.fields(), services.now(), discount_id)
        uses, _ = (await session.execute(queries.uses_of(row.id, "", None))).one()
        return discount_public(row, uses)


@router.delete("/discounts/{discount_id}", name="remove-discount", status_code=204)
@answers(NotFound)
async def remove_discount(discount_id: UUID, services: ServicesDep, caller: PriceManagerDep) -> None:
    """End a discount or coupon; what it has taken off orders stays."""
    async with services.sessions.begin() as session:
        await settings.remove_discount(session, caller, discount_id, services.now())


@router.get("/tax-rates", name="list-tax-rates")
@answers(InvalidCursor)
async def list_tax_rates(
    services: ServicesDep, caller: PriceReaderDep, limit: PageLimit = 100, cursor: PageCursor = None
) -> TaxRatesPublic:
    """The rates of tax by country and class of products."""
    cursors = services.cursors(caller, "tax rates")
    async with services.sessions.begin() as session:
        found = (await session.execute(queries.page_of_tax_rates(cursors.id(cursor), limit + 1))).scalars().all()
    page, following = cursors.cut(found, limit, "id")
    return TaxRatesPublic(items=[tax_rate_public(row) for row in page], next_cursor=following)


@router.put("/tax-rates/{country}/{tax_class}", name="set-tax-rate")
@answers(InvalidPrice)
async def set_tax_rate(
    country: Country, tax_class: TaxClass, body: TaxRateBody, services: ServicesDep, caller: PriceManagerDep
) -> TaxRatePublic:
    """Set what a country takes of a class of products."""
    async with services.sessions.begin() as session:
        percent = Decimal(body.percent)
        row = await settings.set_tax_rate(session, caller, country, tax_class, percent, body.name, services.now())
        return tax_rate_public(row)


@router.delete("/tax-rates/{country}/{tax_class}", name="remove-tax-rate", status_code=204)
@answers(NotFound)
async def remove_tax_rate(
    country: Country, tax_class: TaxClass, services: ServicesDep, caller: PriceManagerDep
) -> None:
    """Tax a class of products in a country no more."""
    async with services.sessions.begin() as session:
        await settings.remove_tax_rate(session, caller, country, tax_class, services.now())


@router.get("/terms", name="show-price-terms")
async def show_terms(services: ServicesDep, caller: PriceReaderDep) -> PriceTermsBody:
    """What holds for all prices."""
    async with services.sessions.begin() as session:
        return terms_public(await settings.get_terms(session))


@router.put("/terms", name="set-price-terms")
async def set_terms(body: PriceTermsBody, services: ServicesDep, caller: PriceManagerDep) -> PriceTermsBody:
    """Set what holds for all prices from now on; orders keep what they were placed at."""
    async with services.sessions.begin() as session:
        return terms_public(await settings.set_terms(session, caller, body.tax_included, body.country, services.now()))
