"""Reads a static STAC catalogue on this disk: each collection is a product, each item an object, each asset a file.

Documents are read as they are written, of every version of STAC: of each only a few members are needed, and a flaw in
any other is no reason to refuse anything. What is needed and cannot be read costs that one thing, by its name.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from models.errors import Refusal, SourceUnreadable
from models.links import DOT_SEGMENTS
from models.products import MAX_NAME_CHARACTERS
from models.text import is_blank, refused_character, shown
from services.catalogue.directory import slug
from services.catalogue.json_documents import read_document
from services.catalogue.source_contents import Looked, Unseen, untold
from services.catalogue.stac_product import StacProduct
from services.catalogue.tree import SourceTree

if TYPE_CHECKING:
    from services.catalogue.source_contents import FoundProduct

ENTRY_NAMES: Final = ("catalog.json", "collection.json")
"""What a folder is called by that is the root of a static STAC catalogue."""

_CONTAINERS: Final = frozenset({"Catalog", "Collection"})
_NO_CONTAINERS: Final = frozenset({"Feature", "FeatureCollection"})
_NO_ITEMS: Final = _CONTAINERS | {"FeatureCollection"}
_REMEDIES: Final = {
    "Feature": " but a STAC item; import the collection or catalogue that links to it",
    "FeatureCollection": " but a FeatureCollection; import the collection or catalogue of its items",
}
_ONLY_IN_COLLECTIONS: Final = ("extent", "license", "item_assets", "summaries")


def read_stac(entry: str, looked: Looked = untold) -> list["FoundProduct"]:
    """The products of a catalogue or collection; a catalogue with neither files nor faults of its own is none."""
    reading = _StacReader(entry, looked)
    reading.walk()
    return [
        found
        for product in reading.products
        if (found := product.finished()).files or found.refused or product.is_collection
    ]


def is_stac(entry: str) -> bool:
    """Whether a file says that it is STAC; raises Refusal where nobody can tell."""
    tree = _tree_of(entry)
    tree.look(entry)
    try:
        raw = read_document(tree, entry)
    except SourceUnreadable:
        raise
    except Refusal:
        return False
    # Before 1.0 a catalogue had no type, and the version was the mark of all.
    return _type_of(raw) in _CONTAINERS or "stac_version" in raw


def is_item(path: str) -> bool:
    """Whether a file is a STAC item."""
    try:
        raw = read_document(_tree_of(path), path)
    except Refusal:
        return False
    return _type_of(raw) == "Feature" and "stac_version" in raw


class _StacReader:
    """One walk over catalogues and collections, from the outermost one inwards."""

    def __init__(self, entry: str, looked: Looked) -> None:
        self._looked = looked
        self.products: list[StacProduct] = []
        self._tree = _tree_of(entry)
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
                owner.refuse(path, refusal, Unseen.child(path))

    def _is_new(self, path: str) -> bool:
        """Whether a document has not been read yet, by whatever path of links it is reached."""
        real = self._tree.look(path).real
        new = real not in self._seen
        self._seen.add(real)
        self._looked()
        return new

    def _container(self, path: str, owner: StacProduct | None) -> None:
        if not self._is_new(path):
            return
        raw = read_document(self._tree, path)
        is_collection = _is_collection(raw)
        # Items of a catalogue below a collection are that collection's: catalogues are folders, no products.
        if owner is None or is_collection:
            owner = self._product(raw, path, is_collection=is_collection)
        if is_collection:
            owner.keep_own_assets(raw.get("assets"), path)
        links = _links(raw, path, owner)
        for item in self._linked(links, "item", path, owner):
            self._item(item, owner)
        children = [(child, owner) for child in self._linked(links, "child", path, owner)]
        self._waiting.extend(reversed(children))

    def _product(self, raw: Mapping[str, Any], path: str, *, is_collection: bool) -> StacProduct:
        note = None
        try:
            sku = good_id(raw.get("id"))
        except Refusal as refusal:
            if not (sku := slug(path.rpartition("/")[0].rpartition("/")[2])):
                raise
            note = f"cannot give the product its SKU, for {refusal}: it has that of its folder, {sku}"
        if sku in self._skus:
            raise Refusal(f"another collection of the source is called {sku} too")
        product = StacProduct(self._tree, sku, raw, path, is_collection=is_collection)
        product.found.source = self._entry
        if note:
            product.note(path, note)
        self._skus.add(sku)
        self.products.append(product)
        return product

    def _linked(self, links: list[Any], relation: str, path: str, owner: StacProduct) -> Iterator[str]:
        folder = path.rpartition("/")[0]
        for link in links:
            if not isinstance(link, dict) or link.get("rel") != relation:
                continue
            href = link.get("href")
            if not isinstance(href, str) or not href:
                owner.refuse(path, f"a link of the relation {relation} has no href", Unseen.all())
                continue
            try:
                yield self._tree.locate(folder, href).path
            except Refusal as refusal:
                meant = self._tree.meant(folder, href)
                places = (self._place(relation, path, owner) for path in meant)
                owner.refuse_reference(href, href, refusal, *places)

    @staticmethod
    def _place(relation: str, path: str, owner: StacProduct) -> Unseen:
        """What a link led to that leads nowhere now."""
        return Unseen.item(owner.seen_from_here(path)) if relation == "item" else Unseen.child(path)

    def _item(self, path: str, owner: StacProduct) -> None:
        try:
            if not self._is_new(path):
                return
            item = read_document(self._tree, path)
            kind = _type_of(item)
            if kind in _NO_ITEMS:
                raise Refusal("it is not a STAC item")
            name = good_id(item.get("id"))
            owner.add_object(name, item.get("assets"), path, item)
            if kind != "Feature":
                owner.oddities.add("items", "are not of the type Feature", shown(name))
        except Refusal as refusal:
            owner.refuse(path, refusal, Unseen.item(owner.seen_from_here(path)))


def _tree_of(entry: str) -> SourceTree:
    return SourceTree(entry.rpartition("/")[0] or "/")


def _type_of(raw: Mapping[str, Any]) -> str | None:
    found = raw.get("type")
    return found if isinstance(found, str) else None


def _is_collection(raw: Mapping[str, Any]) -> bool:
    """Whether a document is a collection, else it is a catalogue; raises Refusal where it is neither."""
    kind = _type_of(raw)
    if kind in _CONTAINERS and {"id", "links"} & raw.keys():
        return kind == "Collection"
    # Before STAC 1.0 there was no type.
    if kind in _NO_CONTAINERS or "links" not in raw or not {"id", "stac_version"} & raw.keys():
        raise Refusal(f"it is not a STAC catalogue or collection{_REMEDIES.get(kind or '', '')}")
    return any(name in raw for name in _ONLY_IN_COLLECTIONS)


def _links(raw: Mapping[str, Any], path: str, owner: StacProduct) -> list[Any]:
    links = raw.get("links")
    if isinstance(links, list):
        if not all(isinstance(link, dict) and isinstance(link.get("rel"), str) for link in links):
            # It may have led to anything that is missing now.
            owner.found.unseen.add(Unseen.all())
        return links
    owner.note(path, "has no links that can be read, and so no items")
    owner.found.unseen.add(Unseen.all())
    return []


def good_id(found: object) -> str:
    """The id of a document as it can be kept; raises Refusal with the reason where it cannot."""
    # Numbers are a common slip, and mean the same.
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if found is None or found == "":
        raise Refusal("it has no id")
    if not isinstance(found, str) or is_blank(found):
        raise Refusal("its id is no text")
    if found in DOT_SEGMENTS:
        raise Refusal(f"its id is {found!r}, which no URL can lead to; give it another")
    if len(found) > MAX_NAME_CHARACTERS:
        raise Refusal(f"its id has more than {MAX_NAME_CHARACTERS} characters")
    if why := refused_character(found):
        raise Refusal(f"its id cannot be kept: {why}")
    return found
