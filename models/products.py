"""What an administrator may set of a product, and the one rule of what wins over the next import.

What a source or an import's options say too is marked when it is set by hand, and stays as it was set until the mark
is taken off; `SETTABLE` says for each attribute which marks it leaves. A price, its currency and its unit are one
thing. Texts by language are set by language: what a change does not name stays.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from models.errors import Fault
from models.pricing import STANDARD_CLASS, price_faults
from models.text import checked

MAX_NAME_CHARACTERS: Final = 200
MAX_DESCRIPTION_CHARACTERS: Final = 5_000
MAX_GROUPS: Final = 100

_Check = Callable[[str], str]
_NAME: Final[_Check] = partial(checked, limit=MAX_NAME_CHARACTERS)

_PRICE: Final = ("unit_price", "currency", "price_unit")
SETTABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name",),
    "unit_price": _PRICE,
    "currency": _PRICE,
    "price_unit": _PRICE,
    "tax_class": (),
    "titles": (),
    "descriptions": (),
    "access_groups": ("access_groups",),
    "most_objects": (),
    "most_bytes": (),
}
"""The attributes that can be set, with the marks of each; of what has none no source says anything."""

_UNSET: Final[Mapping[str, Callable[[], Any]]] = {
    "tax_class": lambda: STANDARD_CLASS,
    "titles": dict,
    "descriptions": dict,
}
"""What is kept of these where nothing is set."""

_TEXTS: Final[Mapping[str, _Check]] = {
    "titles": _NAME,
    "descriptions": partial(checked, limit=MAX_DESCRIPTION_CHARACTERS, lines=True),
}


def marks_after(marks: Iterable[str], fields: Mapping[str, Any]) -> list[str]:
    """The marks of a product after these attributes were set; what is set to None goes by its source again."""
    after = set(marks)
    for name, value in fields.items():
        after = after - set(SETTABLE[name]) if value is None else after | set(SETTABLE[name])
    return sorted(after)


def tidied_change(fields: Mapping[str, Any], current: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """A change as it can be kept, and everything that is wrong with it; `current` is what is set."""
    kept, faults = dict(fields), list[Fault]()
    if kept.get("name") is not None:
        kept["name"] = _text("name", kept["name"], faults)
    if (groups := kept.get("access_groups")) is not None:
        found = {_text(f"access_groups/{index}", group, faults) for index, group in enumerate(groups)}
        kept["access_groups"] = sorted(found)
        if len(found) > MAX_GROUPS:
            text = f"a product has {MAX_GROUPS} access groups at most"
            faults.append(Fault(field="access_groups", code="too_many_groups", text=text))
    for name, check in _TEXTS.items():
        if kept.get(name) is not None:
            kept[name] = _texts(name, kept[name], current[name], check, faults)
    kept |= {name: unset() for name, unset in _UNSET.items() if name in kept and kept[name] is None}
    return kept, [*faults, *_price_faults(kept, current)]


def _texts(
    field: str, said: Mapping[str, str | None], current: Mapping[str, str], check: _Check, faults: list[Fault]
) -> dict[str, str]:
    """Texts by language after a change of some; None or an empty one takes a language's text away."""
    after = dict(current) | {
        language: _text(f"{field}/{language}", text, faults, check) if text else None for language, text in said.items()
    }
    return {language: text for language, text in sorted(after.items()) if text is not None}


def _text(field: str, said: str, faults: list[Fault], check: _Check = _NAME) -> str:
    try:
        return check(said)
    except ValueError as error:
        faults.append(Fault(field=field, code="text_unfit", text=f"{field}: {error}"))
        return said


def _price_faults(fields: Mapping[str, Any], current: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with the price that a product would have."""
    price, currency = (
        current[name] if fields.get(name) is None else fields[name] for name in ("unit_price", "currency")
    )
    if all(fields.get(name) is None for name in _PRICE):
        return []
    return price_faults(Decimal(price), currency)


def limit_faults(
    sku: str, most_objects: int | None, most_bytes: int | None, *, objects: int, size_bytes: int
) -> list[Fault]:
    """Everything by which a line goes beyond what one order may have of its product."""
    faults = list[Fault]()
    if most_objects is not None and objects > most_objects:
        text = f"one order may have {most_objects:,} objects of {sku}, and this has {objects:,}; order them apart"
        faults.append(Fault(field=sku, code="too_many_objects", text=text))
    if most_bytes is not None and size_bytes > most_bytes:
        text = f"one order may have {most_bytes:,} bytes of {sku}, and this has {size_bytes:,}; order them apart"
        faults.append(Fault(field=sku, code="too_many_bytes", text=text))
    return faults
