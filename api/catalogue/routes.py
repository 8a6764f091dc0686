"""The catalogue: products, their objects and the files of these."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from api.catalogue.schemas import (
    CatalogueFilePublic,
    CatalogueFilesPublic,
    ObjectPublic,
    ObjectsPublic,
    ProductPublic,
    ProductsPublic,
)
from api.dependencies import CallerDep, ServicesDep
from api.http.answers import answers
from api.orders.filters import Text, check_term_count
from api.schemas import MAX_PAGE, PageLimit
from models.errors import InvalidCursor, NotFound
from models.pricing import PriceUnit, written
from models.queries import catalogue as queries
from models.queries.selections import products_by_sku
from models.tables import Product

router = APIRouter(tags=["catalogue"])


LongCursor = Annotated[str | None, Query(max_length=5000)]
"""A cursor that holds a name."""

ProductText = Annotated[Text, AfterValidator(check_term_count), Query(max_length=200)]


@router.get("/products", name="list-products")
@answers(InvalidCursor)
async def list_products(
    services: ServicesDep,
    caller: CallerDep,
    q: ProductText | None = None,
    limit: PageLimit = MAX_PAGE,
    cursor: LongCursor = None,
) -> ProductsPublic:
    """The products you may order, by SKU; those with all words of a text in SKU, name, titles or descriptions."""
    cursors = services.cursors(caller, f"products {q or ''}")
    query = queries.products(caller.admitted, after=cursors.name(cursor), limit=limit + 1, words=(q or "").split())
    async with services.sessions.begin() as session:
        items = [_product(*row) for row in await session.execute(query)]
    page, following = cursors.cut(items, limit, "sku")
    return ProductsPublic(items=list(page), next_cursor=following)


def _product(product: Product, objects: int, files: int, size: int) -> ProductPublic:
    return ProductPublic(
        sku=product.sku,
        name=product.name,
        unit_price=written(product.unit_price, product.currency),
        currency=product.currency,
        price_unit=PriceUnit(product.price_unit),
        objects=objects,
        files=files,
        bytes=size,
    )


@router.get("/products/{sku:name}/objects", name="list-objects-for-product")
@answers(InvalidCursor, NotFound)
async def list_objects(
    sku: str,
    services: ServicesDep,
    caller: CallerDep,
    limit: PageLimit = 100,
    cursor: LongCursor = None,
) -> ObjectsPublic:
    """The objects of a product, by name."""
    cursors = services.cursors(caller, f"objects of {sku}")
    after = cursors.name(cursor)
    async with services.sessions.begin() as session:
        product = (await session.execute(products_by_sku([sku], caller.admitted))).scalar_one_or_none()
        if product is None or product.id is None:
            raise NotFound("product", sku)
        rows = (await session.execute(queries.objects_of_product(product.id, after=after, limit=limit + 1))).all()
    items = [ObjectPublic(id=key, name=name, files=files, bytes=size) for key, name, files, size in rows]
    page, following = cursors.cut(items, limit, "name")
    return ObjectsPublic(items=list(page), next_cursor=following)


@router.get("/objects/{object_id}/files", name="list-files-for-object")
@answers(InvalidCursor, NotFound)
async def list_object_files(
    object_id: UUID, services: ServicesDep, caller: CallerDep, limit: PageLimit = MAX_PAGE, cursor: LongCursor = None
) -> CatalogueFilesPublic:
    """The files of an object, by name."""
    cursors = services.cursors(caller, f"files of {object_id}")
    query = queries.files_of_object(object_id, caller.admitted, after=cursors.name(cursor), limit=limit + 1)
    async with services.sessions.begin() as session:
        found = (await session.execute(query)).scalars().all()
    if not found:
        raise NotFound("object", object_id)
    page, following = cursors.cut(found, limit, "name")
    items = [
        CatalogueFilePublic(
            id=file.id,
            name=file.name,
            size=file.size_bytes,
            media_type=file.media_type,
            kind=file.kind,
            tier=file.tier,
            sha256=file.sha256.hex() if file.sha256 else None,
        )
        for file in page
    ]
    return CatalogueFilesPublic(items=items, next_cursor=following)
