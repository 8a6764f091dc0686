"""The results of an order, as STAC 1.1: a collection, a catalogue for each sub-order, an item for each object.

Footprints are the catalogue's: geometries are null here, and an item's time is that of its newest file.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from api.stac_elements import EXTENSIONS, GEOJSON, JSON, STAC_VERSION, Json, asset, link
from models.instants import rfc3339
from models.links import API
from models.tables import Order, OrderFile, SubOrder

_NS: Final = 1_000_000_000


class Results:
    """The documents of one order; all links are absolute."""

    def __init__(self, order: Order, public_url: str) -> None:
        self._order = order
        self._api = f"{public_url}{API}"
        self._url = f"{self._api}/orders/{order.id}"
        self._root = f"{self._url}/stac"

    def collection(self, suborders: Iterable[SubOrder], oldest: int | None, newest: int | None) -> Json:
        """The collection; `oldest` and `newest` file in ns since 1970."""
        children = [
            link("child", f"{self._root}/suborders/{s.number}", JSON, f"{s.sku}, part {s.number}") for s in suborders
        ]
        return {
            "type": "Collection",
            "stac_version": STAC_VERSION,
            "id": self._order.number,
            "title": self._order.label,
            "description": f"The files of order {self._order.number}.",
            "license": "other",
            "extent": {
                "spatial": {"bbox": [[-180.0, -90.0, 180.0, 90.0]]},
                "temporal": {"interval": [[_instant(oldest), _instant(newest)]]},
            },
            "links": [
                *self._links("self", self._root),
                link("items", f"{self._root}/items", GEOJSON, "All items, in pages"),
                *children,
            ],
        }

    def part(self, suborder: SubOrder, objects: Iterable[tuple[int, str]]) -> Json:
        """The catalogue of a sub-order; `objects` by the number of their first file and name."""
        url = f"{self._root}/suborders/{suborder.number}"
        return {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": f"{self._order.number}-{suborder.number}",
            "title": f"{suborder.sku}, part {suborder.number}",
            "description": f"The objects of {suborder.sku} in part {suborder.number} of order {self._order.number}.",
            "links": [
                *self._links("self", url, parent=self._root),
                *(link("item", self._item_url(seq), GEOJSON, name) for seq, name in objects),
            ],
        }

    def items(self, files: Iterable[tuple[OrderFile, str]], skus: dict[int, str]) -> list[Json]:
        """The items of files with their kinds, in the order of the objects; `skus` by sub-order."""
        by_object = groupby(files, key=lambda pair: (pair[0].suborder, pair[0].object_name))
        return [self._item(list(group), skus[suborder]) for (suborder, _), group in by_object]

    def page(self, items: Sequence[Json], here: str, after: str | None) -> Json:
        """A page of items; `here` and `after` are what leads to it and to the next one."""
        links = self._links("self", f"{self._root}/items{here}")
        if after is not None:
            links.append(link("next", f"{self._root}/items{after}", GEOJSON))
        return {"type": "FeatureCollection", "features": list(items), "numberReturned": len(items), "links": links}

    def _item(self, files: Sequence[tuple[OrderFile, str]], sku: str) -> Json:
        first = files[0][0]
        order = self._order
        return {
            "type": "Feature",
            "stac_version": STAC_VERSION,
            "stac_extensions": list(EXTENSIONS),
            "id": f"{sku}:{first.object_name}",
            "collection": order.number,
            "geometry": None,
            "properties": {
                "datetime": _instant(max(file.modified_ns for file, _ in files)),
                "title": first.object_name,
                "order:status": "succeeded",
                "order:id": order.number,
                "order:date": rfc3339(order.created_at, "seconds"),
                **({"order:expiration_date": rfc3339(order.expires_at, "seconds")} if order.expires_at else {}),
            },
            "assets": {file.name: asset(self._api, file, kind) for file, kind in files},
            "links": [
                *self._links("self", self._item_url(first.seq), parent=f"{self._root}/suborders/{first.suborder}"),
                link("collection", self._root, JSON),
            ],
        }

    def _item_url(self, seq: int) -> str:
        return f"{self._root}/items/{seq}"

    def _links(self, relation: str, url: str, parent: str | None = None) -> list[Json]:
        media_type = GEOJSON if "/items" in url else JSON
        links = [link(relation, url, media_type), link("root", self._root, JSON)]
        return [*links, link("parent", parent, JSON)] if parent else links


def _instant(ns: int | None) -> str | None:
    return None if ns is None else rfc3339(datetime.fromtimestamp(ns // _NS, UTC))
