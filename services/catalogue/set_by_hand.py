"""What an administrator has set of a product by hand wins over its source and over the options of an import."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from services.catalogue.messages import ImportOptions
from services.catalogue.source_contents import FoundProduct


class _Attribute(NamedTuple):
    """How an attribute is called in a sentence, as an option of the import and in `--reset`."""

    words: str
    option: str
    reset: str


_ATTRIBUTES: Final = {
    "name": _Attribute("its name", "name", "name"),
    "unit_price": _Attribute("its price", "price", "price"),
    "currency": _Attribute("its currency", "currency", "price"),
    "access_groups": _Attribute("who may order it", "groups", "groups"),
}


def without_set_by_hand(
    found: FoundProduct, options: ImportOptions, product: Mapping[str, Any]
) -> tuple[ImportOptions, list[str]]:
    """The options without what was set by hand, and a note on each of these of which the import says otherwise."""
    said = {
        "name": found.name if found.titled else None,
        "unit_price": options.price,
        "currency": options.currency,
        "access_groups": None if options.groups is None else sorted(set(options.groups)),
    }
    marked = [(name, _ATTRIBUTES[name]) for name in product["set_by_hand"] if name in _ATTRIBUTES]
    command = f"`consignor catalog product {product['sku']}"
    notes = [
        f"{words} was set by hand and stays; {command}` changes it, {command} --reset {reset}` leaves it to imports"
        for name, (words, _, reset) in marked
        if said[name] is not None and said[name] != product[name]
    ]
    return options.model_copy(update={attribute.option: None for _, attribute in marked}), notes
