"""The catalogue as a STAC API: what the caller may see of it, to walk through and to search."""

from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.catalogue.stac_documents import CONFORMS_TO, STAC, Documents
from api.catalogue.stac_search import CollectionsQuery, SearchBody, SearchQuery
from api.dependencies import Caller, ReaderDep, Services, ServicesDep
from api.http.answers import answers
from api.http.etags import CACHE
from api.http.parameters import reject_unknown_query_parameters
from api.problems import bad_requests_are_400
from api.stac_elements import GEOJSON, JSON
from api.stac_schemas import AS_CATALOG, AS_COLLECTION, AS_COLLECTIONS, AS_CONFORMANCE, AS_ITEM, AS_ITEMS
from models.catalogue_search import ObjectFilter
from models.errors import InvalidCursor, NotFound
from models.tables import Product
from services import catalogue_search

Read = TypeVar("Read")

router = APIRouter(
    prefix=STAC,
    tags=["stac"],
    default_response_class=Response,
    dependencies=[Depends(bad_requests_are_400), Depends(reject_unknown_query_parameters)],
)


@router.get("", name="show-stac", responses=AS_CATALOG)
async def show_landing_page(services: ServicesDep, caller: ReaderDep) -> Response:
    """The landing page: the root catalogue, with a child for each collection you may see."""
    async with services.sessions.begin() as session:
        found = await catalogue_search.visible_products(session, caller)
    return _answer(Documents(services.public_url).landing(found))


@router.get("/conformance", name="show-stac-conformance", responses=AS_CONFORMANCE)
async def show_conformance(caller: ReaderDep) -> Response:
    """What this API conforms to; the landing page says it too."""
    return _answer({"conformsTo": list(CONFORMS_TO)})


@router.get("/collections", name="list-stac-collections", responses=AS_COLLECTIONS)
@answers(InvalidCursor)
async def list_collections(
    services: ServicesDep, caller: ReaderDep, query: Annotated[CollectionsQuery, Query()]
) -> Response:
    """The products you may see, as STAC collections by id; all of them, unless there is a `limit`."""
    cursors = services.cursors(caller, "stac collections")
    after = _read_token(cursors.name, query.token)
    async with services.sessions.begin() as session:
        found = await catalogue_search.visible_products(session, caller)
    # Not in the database's order, whose collation compares letters in its own way.
    behind = sorted((product for product in found if product.sku > after), key=attrgetter("sku"))
    page = behind[: query.limit]
    token = cursors.after(page[-1].sku) if len(page) < len(behind) else None
    return _answer(Documents(services.public_url).collections(page, _as_sent(query), token))


@router.get("/collections/{collection_id:name}", name="show-stac-collection", responses=AS_COLLECTION)
@answers(NotFound)
async def show_collection(collection_id: str, services: ServicesDep, caller: ReaderDep) -> Response:
    """A product as a STAC collection; its id is the SKU."""
    async with services.sessions.begin() as session:
        found = await _product(session, caller, collection_id)
    return _answer(Documents(services.public_url).collection(found))


@router.get("/collections/{collection_id:name}/items", name="list-stac-items", responses=AS_ITEMS)
@answers(InvalidCursor, NotFound)
async def list_items(
    collection_id: str, services: ServicesDep, caller: ReaderDep, query: Annotated[SearchQuery, Query()]
) -> Response:
    """The objects of a product as STAC items, newest first; `order:status` is that of your own orders."""
    meaning = {"items": collection_id, **query.meaning}
    async with services.sessions.begin() as session:
        product = await _product(session, caller, collection_id)
        named = [product] if query.skus is None else await _named_products(session, caller, query)
        among = [found for found in named if found.id == product.id]
        criteria = await catalogue_search.objects_meant(session, among, query.criteria)
        found, token = await _page(session, services, caller, among, query, criteria, meaning)
    documents = Documents(services.public_url)
    path = documents.collection_path(product) + "/items"
    return _answer(documents.page(found, *documents.page_links(path, _as_sent(query), token)), GEOJSON)


@router.get("/collections/{collection_id:name}/items/{item_id:names}", name="show-stac-item", responses=AS_ITEM)
@answers(NotFound)
async def show_item(collection_id: str, item_id: str, services: ServicesDep, caller: ReaderDep) -> Response:
    """An object as a STAC item; its id is the name of the object."""
    async with services.sessions.begin() as session:
        product = await _product(session, caller, collection_id)
        page = await catalogue_search.search(session, caller, [product], ObjectFilter(names=(item_id,)), None, 1)
    if not page.hits:
        raise NotFound("item", item_id)
    return _answer(Documents(services.public_url).item(page.hits[0]), GEOJSON)


@router.get("/search", name="search-stac-items", responses=AS_ITEMS)
@answers(InvalidCursor)
async def search(services: ServicesDep, caller: ReaderDep, query: Annotated[SearchQuery, Query()]) -> Response:
    """Items of all collections, newest first: by ids, collections, place and time, all of which must hold."""
    async with services.sessions.begin() as session:
        among = await _named_products(session, caller, query)
        criteria = await catalogue_search.objects_meant(session, among, query.criteria)
        found, token = await _page(session, services, caller, among, query, criteria, query.meaning)
    documents = Documents(services.public_url)
    return _answer(documents.page(found, *documents.page_links("/search", _as_sent(query), token)), GEOJSON)


@router.post("/search", name="search-stac-items-by-body", responses=AS_ITEMS)
@answers(InvalidCursor)
async def search_by_body(services: ServicesDep, caller: ReaderDep, body: SearchBody) -> Response:
    """Items of all collections, asked for by a body. It changes nothing: who may read may search."""
    async with services.sessions.begin() as session:
        among = await catalogue_search.visible_products(session, caller, body.skus)
        found, token = await _page(session, services, caller, among, body, body.criteria, body.meaning)
    documents = Documents(services.public_url)
    return _answer(documents.page(found, *documents.page_links_by_post(body, token)), GEOJSON)


async def _product(session: AsyncSession, caller: Caller, sku: str) -> Product:
    """A product that the caller may see. Raises NotFound."""
    found = await catalogue_search.visible_products(session, caller, [sku])
    if not found:
        raise NotFound("collection", sku)
    return found[0]


async def _named_products(session: AsyncSession, caller: Caller, query: SearchQuery) -> list[Product]:
    if query.skus is None:
        return await catalogue_search.visible_products(session, caller)
    return await catalogue_search.products_meant(session, caller, query.skus)


async def _page(
    session: AsyncSession,
    services: Services,
    caller: Caller,
    among: list[Product],
    query: SearchQuery | SearchBody,
    criteria: ObjectFilter,
    meaning: dict[str, Any],
) -> tuple[catalogue_search.CataloguePage, str | None]:
    """A page and the token of the next one. Raises InvalidCursor."""
    cursors = services.cursors(caller, f"stac {meaning}")
    after = _read_token(cursors.position, query.token)
    page = await catalogue_search.search(
        session, caller, among, criteria, after, query.page_size, walk=services.catalogue_walk
    )
    return page, cursors.behind(page.after)


def _read_token(read: Callable[[str | None], Read], token: str | None) -> Read:
    """The position that a token stands for. Raises InvalidCursor."""
    try:
        return read(token)
    except InvalidCursor:
        raise InvalidCursor("token", "that of the `next` link") from None


def _as_sent(query: SearchQuery | CollectionsQuery) -> dict[str, Any]:
    """The parameters of a request as they were sent."""
    return query.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def _answer(document: dict[str, Any], media_type: str = JSON) -> Response:
    return Response(orjson.dumps(document), media_type=media_type, headers=CACHE)
