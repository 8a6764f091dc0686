"""Routes of one product: shown to those who may order it, changed by administrators."""

import hashlib
from decimal import Decimal
from operator import attrgetter
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.catalogue.product_schemas import ProductChange, ProductDetail
from api.dependencies import Caller, CallerDep, CatalogueManagerDep, ServicesDep
from api.http.answers import CONDITIONS, ETAG, answers
from api.http.etags import require_match, tagged
from api.schemas import MAX_PAGE, ActPublic, ActsPublic, PageCursor, PageLimit
from models.errors import InvalidCursor, InvalidProduct, NotFound
from models.pricing import PriceUnit, written
from models.products import SETTABLE
from models.queries import catalogue as queries
from models.queries.acts import acts_on
from models.tables import Product
from services.products import PRODUCT, change_product, get_product

router = APIRouter(prefix="/products/{sku:name}", tags=["catalogue"])


@router.get("", name="show-product", response_model=ProductDetail)
@answers(NotFound, ETAG, *CONDITIONS)
async def show_product(sku: str, request: Request, services: ServicesDep, caller: CallerDep) -> Response:
    """One product, with what one order may have of it."""
    async with services.sessions.begin() as session:
        product = await get_product(session, sku, caller.admitted)
        return tagged(request, await _detail(session, caller, product), _state(product))


@router.patch("", name="change-product", response_model=ProductDetail)
@answers(InvalidProduct, NotFound, ETAG, *CONDITIONS)
async def set_product(
    sku: str, body: ProductChange, request: Request, services: ServicesDep, caller: CatalogueManagerDep
) -> Response:
    """Set attributes of a product, for administrators; no import undoes what was set.

    With `If-Match` only if it is still as you have seen it. `null` takes a setting back.
    """
    fields: dict[str, Any] = body.model_dump(exclude_unset=True)
    if (price := fields.get("unit_price")) is not None:
        fields["unit_price"] = Decimal(price)

    def expect(product: Product) -> None:
        require_match(request, _state(product))

    async with services.sessions.begin() as session:
        product = await change_product(session, caller, sku, fields, expect, services.now())
        return tagged(request, await _detail(session, caller, product), _state(product), changed=True)


@router.get("/changes", name="list-changes-of-product")
@answers(InvalidCursor)
async def list_changes(
    sku: str, services: ServicesDep, caller: CatalogueManagerDep, limit: PageLimit = MAX_PAGE, cursor: PageCursor = None
) -> ActsPublic:
    """What administrators have set of a product, the newest first; also of one that is gone."""
    cursors = services.cursors(caller, f"changes of {sku}")
    query = acts_on(PRODUCT, sku, before=cursors.id(cursor), limit=limit + 1)
    async with services.sessions.begin() as session:
        found = (await session.execute(query)).scalars().all()
    page, following = cursors.cut(found, limit, "id")
    items = [ActPublic.model_validate(act, from_attributes=True) for act in page]
    return ActsPublic(items=items, next_cursor=following)


def _state(product: Product) -> str:
    """What `If-Match` compares: all that can be set, whoever has set it."""
    attributes = [str(value) for value in attrgetter(*SETTABLE, "set_by_hand")(product)]
    return hashlib.blake2b(orjson.dumps(attributes), digest_size=8).hexdigest()


async def _detail(session: AsyncSession, caller: Caller, product: Product) -> ProductDetail:
    objects, files, size = (await session.execute(queries.totals_of_product(product.id))).one()
    begins_at, ends_at = product.extent["interval"] if product.extent else (None, None)
    staff = caller.sees_everything
    return ProductDetail(
        sku=product.sku,
        name=product.name,
        unit_price=written(product.unit_price, product.currency),
        currency=product.currency,
        price_unit=PriceUnit(product.price_unit),
        tax_class=product.tax_class,
        objects=objects,
        files=files,
        bytes=size,
        titles=product.titles,
        descriptions=product.descriptions,
        description=product.description,
        license=product.license,
        bbox=product.extent["bbox"] if product.extent else None,
        begins_at=begins_at,
        ends_at=ends_at,
        most_objects=product.most_objects,
        most_bytes=product.most_bytes,
        access_groups=product.access_groups if staff else None,
        set_by_hand=product.set_by_hand if staff else None,
    )
