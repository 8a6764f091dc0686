"""Objects of all products: searched, counted, shown."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.catalogue.object_documents import detail_public, facets_public, hit_public
from api.catalogue.object_search import ObjectQuery, ObjectSearchBody
from api.catalogue.schemas import FoundObjects, ObjectDetail
from api.dependencies import Caller, CallerDep, ReaderDep, Services, ServicesDep
from api.http.answers import answers
from models.catalogue_search import ObjectFilter
from models.errors import InvalidCursor, NotFound
from services import catalogue_counts, catalogue_search

router = APIRouter(tags=["catalogue"])


@router.get("/objects", name="search-objects")
@answers(InvalidCursor)
async def search_objects(
    services: ServicesDep, caller: CallerDep, query: Annotated[ObjectQuery, Query()]
) -> FoundObjects:
    """Objects of all products you may see, by text, product, place, time, properties and files."""
    return await _found(services, caller, query)


@router.post("/objects:search", name="search-objects-by-body")
@answers(InvalidCursor)
async def search_objects_by_body(services: ServicesDep, caller: ReaderDep, body: ObjectSearchBody) -> FoundObjects:
    """The same by a body, which has room for long outlines. It changes nothing: who may read may search."""
    return await _found(services, caller, body)


@router.get("/objects/{object_id}", name="show-object")
@answers(NotFound)
async def show_object(object_id: UUID, services: ServicesDep, caller: CallerDep) -> ObjectDetail:
    """An object, with its footprint and properties, and whether you can order it."""
    async with services.sessions.begin() as session:
        among = await catalogue_search.visible_products(session, caller)
        named = ObjectFilter(ids=(object_id,))
        page = await catalogue_search.search(session, caller, among, named, None, 1, counted=False)
    if not page.hits:
        raise NotFound("object", object_id)
    return detail_public(page.hits[0], caller, services.public_url)


async def _found(services: Services, caller: Caller, query: ObjectQuery | ObjectSearchBody) -> FoundObjects:
    """A page, counted where facets are asked for. Raises InvalidCursor."""
    cursors = services.cursors(caller, query.name)
    after = cursors.position(query.cursor)
    async with services.sessions.begin() as session:
        among = await catalogue_search.visible_products(session, caller)
        chosen = [product for product in among if not query.product or product.sku in query.product]
        criteria = query.to_filter(catalogue_search.searched_for(query.q or "", among), query.area)
        page = await catalogue_search.search(
            session,
            caller,
            chosen,
            criteria,
            after,
            query.limit,
            sort=query.sort,
            walk=services.catalogue_walk,
            counted=False,
        )
        ids = [product.id for product in among]
        narrowed = [product.id for product in chosen] if query.product else None
        counts = await catalogue_counts.count(session, ids, narrowed, criteria, query.facets) if query.facets else None
    return FoundObjects(
        items=[hit_public(hit, caller, services.public_url) for hit in page.hits],
        next_cursor=cursors.behind(page.after),
        total=counts and counts.objects,
        total_bytes=counts and counts.bytes,
        total_capped=counts and counts.capped,
        facets=counts and facets_public(counts, among),
    )
