"""What is shown of objects that were found."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.catalogue.schemas import FacetValue, ObjectDetail, ObjectHit, OrderOfObject
from models.access import Caller
from models.areas import rolled
from models.catalogue_search import Facet
from models.links import API
from models.orderability import why_not_orderable
from models.status_facts import ItemStatus
from models.tables import Product
from services.catalogue_counts import ObjectCounts
from services.catalogue_search import CatalogueHit, ObjectOrder


def hit_public(found: CatalogueHit, caller: Caller, public_url: str) -> ObjectHit:
    """An object as it is listed."""
    return ObjectHit(**_hit(found, caller, public_url))


def detail_public(found: CatalogueHit, caller: Caller, public_url: str) -> ObjectDetail:
    """An object with everything that is said of it."""
    row = found.row
    files_url = f"{_url(public_url, found)}/files"
    hit = _hit(found, caller, public_url)
    return ObjectDetail(**hit, geometry=row.geometry, properties=row.properties, files_url=files_url)


def _hit(found: CatalogueHit, caller: Caller, public_url: str) -> dict[str, Any]:
    row, product = found.row, found.product
    why_not = why_not_orderable(caller, product.access_groups, files=row.files, tiers=row.tiers)
    return {
        "id": row.id,
        "name": row.name,
        "title": str(row.properties.get("title") or row.name),
        "product": product.sku,
        "begins_at": row.begins_at,
        "ends_at": row.ends_at,
        "bbox": None if row.west is None else [*rolled(row.west, row.south, row.east, row.north)],
        "files": row.files,
        "bytes": row.bytes,
        "kinds": row.kinds,
        "tiers": row.tiers,
        "orderable": why_not is None,
        "not_orderable": why_not,
        "order": _order(found.ordered),
    }


def _url(public_url: str, found: CatalogueHit) -> str:
    return f"{public_url}{API}/objects/{found.row.id}"


def _order(ordered: ObjectOrder) -> OrderOfObject | None:
    if ordered.order is None or ordered.status is ItemStatus.ORDERABLE:
        return None
    return OrderOfObject(id=ordered.order.id, number=ordered.order.number, status=ordered.status)


def facets_public(counts: ObjectCounts, among: Iterable[Product]) -> dict[Facet, list[FacetValue]]:
    """The values of each facet, the most frequent first; years from the newest."""
    skus = {product.id: product.sku for product in among}
    return {facet: _values(facet, found, skus) for facet, found in counts.by.items()}


def _values(facet: Facet, found: Mapping[str | int, int], skus: Mapping[int, str]) -> list[FacetValue]:
    if facet is Facet.YEAR:
        return [FacetValue(value=str(year), objects=found[year]) for year in sorted(found, reverse=True)]
    named = {skus[value] if facet is Facet.PRODUCT else str(value): objects for value, objects in found.items()}  # type: ignore[index]
    return [FacetValue(value=name, objects=n) for name, n in sorted(named.items(), key=lambda one: (-one[1], one[0]))]
