"""Reads a static STAC catalogue on this disk: each collection is a product, each item an object, each asset a file.

pystac reads the catalogues and collections, and items older than STAC 1.0, which it migrates. Items of today's form are
read as they are: 20,000 pystac items cost two to three seconds, and little of them is wanted.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import orjson

from models.errors import Refusal
from models.text import is_printable
from services.catalogue.messages import MAX_NAME_CHARACTERS
from services.catalogue.source_contents import unstorable
from services.catalogue.stac_product import StacProduct
from services.catalogue.tree import SourceTree, why_not

if TYPE_CHECKING:
    from pystac import Catalog

    from services.catalogue.source_contents import FoundProduct

ENTRY_NAMES: Final = ("catalog.json", "collection.json")
"""What a folder is called by that is the root of a static STAC catalogue."""


def read_stac(entry: str) -> list["FoundProduct"]:
    """The products of a catalogue or collection; what holds neither files nor faults is left out."""
    reading = _StacReader(entry)
    reading.walk()
    return [found for product in reading.products if (found := product.finished()).files or found.refused]


def is_stac(entry: str) -> bool:
    """Whether a file is a STAC catalogue or collection."""
    try:
        return _json(SourceTree(entry.rpartition("/")[0]), entry).get("type") in {"Catalog", "Collection"}
    except Refusal:
        return False


class _StacReader:
    """One walk over catalogues and collections, from the outermost one inwards."""

    def __init__(self, entry: str) -> None:
        self.products: list[StacProduct] = []
        self._tree = SourceTree(entry.rpartition("/")[0])
        self._entry = entry
        self._skus: set[str] = set()
        self._seen: set[str] = set()
        self._waiting: list[tuple[str, StacProduct | None]] = []

    def walk(self) -> None:
        """Read everything; only a fault of the outermost file is raised."""
        self._waiting.append((self._entry, None))
        while self._waiting:
            path, owner = self._waiting.pop()
            try:
                self._container(path, owner)
            except Refusal as refusal:
                if owner is None:
                    raise Refusal(f"{path}: {refusal}") from refusal
                owner.found.refuse(path.removeprefix(f"{self._tree.root}/"), str(refusal))

    def _container(self, path: str, owner: StacProduct | None) -> None:
        from pystac import Collection

        if path in self._seen:
            return
        self._seen.add(path)
        raw = _json(self._tree, path)
        # As it was written: pystac takes today's time for an extent that it cannot read.
        words = {name: raw.get(name) for name in ("title", "description", "license", "extent")}
        container = _container(raw, path)
        # Items of a catalogue below a collection are that collection's: catalogues are folders, no products.
        if owner is None or isinstance(container, Collection):
            owner = self._product(container, words, path)
        if isinstance(container, Collection) and container.assets:
            owner.add_object(container.id, {key: asset.to_dict() for key, asset in container.assets.items()}, path)
        for item in self._linked(container, "item", path, owner):
            self._item(item, owner)
        children = [(child, owner) for child in self._linked(container, "child", path, owner)]
        self._waiting.extend(reversed(children))

    def _product(self, container: "Catalog", words: dict[str, Any], path: str) -> StacProduct:
        if container.id in self._skus:
            raise Refusal(f"another collection of the source is called {container.id} too")
        product = StacProduct(self._tree, _good_id(container.id), words, path)
        self._skus.add(container.id)
        self.products.append(product)
        return product

    def _linked(self, container: "Catalog", relation: str, path: str, owner: StacProduct) -> Iterator[str]:
        folder = path.rpartition("/")[0]
        for link in container.get_links(relation):
            href = str(link.get_target_str())
            try:
                yield self._tree.locate(folder, href).path
            except Refusal as refusal:
                owner.found.refuse(href, str(refusal))

    def _item(self, path: str, owner: StacProduct) -> None:
        if path in self._seen:
            return
        self._seen.add(path)
        try:
            item = _current(_json(self._tree, path))
            owner.add_object(_good_id(item.get("id")), item.get("assets"), path, item)
        except Refusal as refusal:
            owner.found.refuse(path.removeprefix(f"{self._tree.root}/"), str(refusal))


def _json(tree: SourceTree, path: str) -> dict[str, Any]:
    tree.look(path)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the hot path of many items
            found = orjson.loads(file.read())
    except OSError as error:
        raise Refusal(why_not(error)) from error
    except orjson.JSONDecodeError as error:
        raise Refusal(f"it is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise Refusal("it is not a JSON object")
    return found


def _container(raw: dict[str, Any], path: str) -> "Catalog":
    from pystac import Catalog, Collection

    kind = Collection if raw.get("type") == "Collection" or "extent" in raw else Catalog
    try:
        return kind.from_dict(raw, href=path, preserve_dict=False, migrate=True)
    except _stac_errors() as error:
        raise Refusal(f"it is not a STAC catalogue or collection: {error}") from error


def _current(raw: dict[str, Any]) -> dict[str, Any]:
    """An item in today's form; the file extension's names changed with STAC 1.0."""
    from pystac import Item

    if raw.get("type") != "Feature":
        raise Refusal("it is not a STAC item")
    if str(raw.get("stac_version", "")).startswith("1."):
        return raw
    try:
        return Item.from_dict(raw, preserve_dict=False, migrate=True).to_dict(include_self_link=False)
    except _stac_errors() as error:
        raise Refusal(f"it is not a STAC item: {error}") from error


def _stac_errors() -> tuple[type[Exception], ...]:
    """What pystac raises on documents that are not as the standard says."""
    from pystac.errors import RequiredPropertyMissing, STACError, STACTypeError

    return (STACError, STACTypeError, RequiredPropertyMissing, AttributeError, KeyError, TypeError, ValueError)


def _good_id(found: object) -> str:
    if not isinstance(found, str) or not found.strip():
        raise Refusal("it has no id")
    if len(found) > MAX_NAME_CHARACTERS:
        raise Refusal(f"its id has more than {MAX_NAME_CHARACTERS} characters")
    if unstorable(found) or not is_printable(found):
        raise Refusal("its id holds characters that cannot be shown")
    return found
