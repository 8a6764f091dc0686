"""The documents of the STAC API: landing page, collections and items, after STAC 1.1 and STAC API 1.0."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote, urlencode

from api.catalogue.stac_search import SearchBody
from api.stac_elements import EXTENSIONS, GEOJSON, JSON, STAC_VERSION, Json, asset, link
from models.areas import rolled
from models.instants import rfc3339
from models.links import API
from models.pricing import written
from models.status_facts import ItemStatus
from models.tables import Product
from services.catalogue_search import CatalogueHit, CataloguePage, ObjectOrder

STAC: Final = "/stac"

CONFORMS_TO: Final = (
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)

OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.1"
"""The media type of the OpenAPI document."""

_EVERYWHERE: Final = [-180.0, -90.0, 180.0, 90.0]
_OVER: Final = frozenset({ItemStatus.FAILED, ItemStatus.CANCELED, ItemStatus.ORDERABLE})


class Documents:
    """All documents; their links are absolute."""

    def __init__(self, public_url: str) -> None:
        self._public = public_url
        self._api = f"{public_url}{API}"
        self.root = f"{public_url}{STAC}"

    def landing(self, products: Iterable[Product]) -> Json:
        """The root catalogue, from which everything can be walked to."""
        search = link("search", f"{self.root}/search", GEOJSON)
        return {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": "consignor",
            "title": "Consignor",
            "description": "What can be ordered: each product is a collection, each object an item.",
            "conformsTo": list(CONFORMS_TO),
            "links": [
                *self._around("self", self.root),
                link("data", f"{self.root}/collections", JSON),
                link("conformance", f"{self.root}/conformance", JSON),
                {**search, "method": "GET"},
                {**search, "method": "POST"},
                link("service-desc", f"{self._api}/openapi.json", OPENAPI),
                link("service-doc", f"{self._public}/docs", "text/html"),
                *(link("child", self._collection_url(product), JSON, product.name) for product in products),
            ],
        }

    def collections(self, products: Iterable[Product], query: dict[str, Any], token: str | None) -> Json:
        """A page of collections, or all of them."""
        path = "/collections"
        return {
            "collections": [self.collection(product) for product in products],
            "links": [
                *self.page_links(path, query, token, JSON),
                link("root", self.root, JSON),
                link("parent", self.root, JSON),
            ],
        }

    def collection(self, product: Product) -> Json:
        """A product; what an object of it costs is the price of an order line for one."""
        url = self._collection_url(product)
        extent = product.extent or {"bbox": _EVERYWHERE, "interval": [None, None]}
        return {
            "type": "Collection",
            "stac_version": STAC_VERSION,
            "id": product.sku,
            "title": product.name,
            "description": product.description or product.name,
            "license": product.license or "other",
            "extent": {"spatial": {"bbox": [extent["bbox"]]}, "temporal": {"interval": [extent["interval"]]}},
            "consignor:unit_price": written(product.unit_price, product.currency),
            "consignor:currency": product.currency,
            "links": [*self._around("self", url, parent=self.root), link("items", f"{url}/items", GEOJSON)],
        }

    def item(self, found: CatalogueHit) -> Json:
        """An object; its assets are there once an order of it is."""
        row, ordered = found.row, found.ordered
        collection = self._collection_url(found.product)
        url = f"{collection}/items/{quote(row.name, safe='')}"
        place = {} if row.west is None else {"bbox": [*rolled(row.west, row.south, row.east, row.north)]}
        return {
            "type": "Feature",
            "stac_version": STAC_VERSION,
            "stac_extensions": list(EXTENSIONS),
            "id": row.name,
            "collection": found.product.sku,
            "geometry": row.geometry,
            **place,
            "properties": {"title": row.name} | _time(row) | row.properties | _of_ours(found) | _order(ordered),
            "assets": {file.name: self._asset(file, kind) for file, kind in ordered.files},
            "links": [
                *self._around("self", url, media_type=GEOJSON, parent=collection),
                link("collection", collection, JSON),
                self._order_link(row.id, ordered),
            ],
        }

    def page(self, found: CataloguePage, *links: Json) -> Json:
        """A page of items."""
        features = [self.item(hit) for hit in found.hits]
        root = link("root", self.root, JSON)
        return {
            "type": "FeatureCollection",
            "features": features,
            "numberReturned": len(features),
            **({} if found.matched is None else {"numberMatched": found.matched}),
            "links": [*links, root],
        }

    def page_links(self, path: str, query: dict[str, Any], token: str | None, media_type: str = GEOJSON) -> list[Json]:
        """The links of a page that was asked for by GET: to itself, and to the next one."""
        links = [link("self", _with(f"{self.root}{path}", query), media_type)]
        if token is not None:
            links.append(link("next", _with(f"{self.root}{path}", {**query, "token": token}), media_type))
        return links

    def page_links_by_post(self, body: SearchBody, token: str | None) -> list[Json]:
        """The same for a search by POST: the next one is the same body with another token."""
        url = f"{self.root}/search"
        links = [link("self", url, GEOJSON)]
        if token is not None:
            following = {"method": "POST", "body": {"token": token, "limit": body.page_size}, "merge": True}
            links.append(link("next", url, GEOJSON) | following)
        return links

    @staticmethod
    def collection_path(product: Product) -> str:
        """Where a collection is, below the root."""
        return f"/collections/{quote(product.sku, safe='')}"

    def _collection_url(self, product: Product) -> str:
        return f"{self.root}{self.collection_path(product)}"

    def _asset(self, file: Any, kind: str) -> Json:
        return asset(self._api, file, kind)

    def _order_link(self, object_id: object, ordered: ObjectOrder) -> Json:
        """To the order that there is, or how to place one."""
        if ordered.order is not None and ordered.status not in _OVER:
            return link("order", f"{self._api}/orders/{ordered.order.id}", JSON)
        return link("order", f"{self._api}/orders", JSON) | {"method": "POST", "body": {"files": [str(object_id)]}}

    def _around(self, relation: str, url: str, *, media_type: str = JSON, parent: str | None = None) -> list[Json]:
        links = [link(relation, url, media_type), link("root", self.root, JSON)]
        return [*links, link("parent", parent, JSON)] if parent else links


def _with(url: str, query: dict[str, Any]) -> str:
    return f"{url}?{urlencode(query)}" if query else url


def _time(row: Any) -> Json:
    """The one instant, or the range; a nominal instant of a range is among the properties."""
    if row.begins_at == row.ends_at:
        return {"datetime": rfc3339(row.begins_at)}
    return {
        "datetime": None,
        "start_datetime": rfc3339(row.begins_at),
        "end_datetime": rfc3339(row.ends_at),
    }


def _of_ours(found: CatalogueHit) -> Json:
    return {
        "consignor:object": str(found.row.id),
        "consignor:files": found.row.files,
        "consignor:bytes": found.row.bytes,
    }


def _order(ordered: ObjectOrder) -> Json:
    if ordered.order is None or ordered.status == ItemStatus.ORDERABLE:
        return {"order:status": ItemStatus.ORDERABLE}
    return {
        "order:status": ordered.status,
        "order:id": ordered.order.number,
        "order:date": rfc3339(ordered.order.created_at, "seconds"),
        **({"order:expiration_date": rfc3339(ordered.order.expires_at, "seconds")} if ordered.order.expires_at else {}),
    }
