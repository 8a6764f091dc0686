"""`consignor catalog product`: shows a product, and sets what administrators may set of it."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.commands.common import Json, the_api
from cli.commands.completion import complete_product
from cli.terminal import say, say_json

_RESETS = {"name": ("name",), "price": ("unit_price",), "groups": ("access_groups",)}


def show_or_set_product(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="SKU of the product.", autocompletion=complete_product)],
    name: Annotated[str | None, typer.Option(help="What it is called.")] = None,
    price: Annotated[str | None, typer.Option(help="Price of a unit of it, as in 12.50; 0 is free.")] = None,
    currency: Annotated[str | None, typer.Option(help="Its three letters (ISO 4217), as in EUR.")] = None,
    price_unit: Annotated[
        str | None, typer.Option(metavar="object|file|gb|flat", help="What the price is for; flat: any number of it.")
    ] = None,
    tax_class: Annotated[str | None, typer.Option(help="The class that tax rates are for, as in reduced.")] = None,
    title_en: Annotated[str | None, typer.Option(help="Its title in English; '' takes it away.")] = None,
    title_fr: Annotated[str | None, typer.Option(help="Its title in French.")] = None,
    description_en: Annotated[str | None, typer.Option(help="Its description in English; '' takes it away.")] = None,
    description_fr: Annotated[str | None, typer.Option(help="Its description in French.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="A group that may see and order it; repeat for several: these replace all.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Open it to everybody who has signed in.")] = False,
    most_objects: Annotated[int | None, typer.Option(min=0, help="Objects of it in one order; 0: no limit.")] = None,
    most_bytes: Annotated[int | None, typer.Option(min=0, help="Bytes of it in one order; 0: no limit.")] = None,
    reset: Annotated[
        list[str] | None, typer.Option(metavar="|".join(_RESETS), help="Leave it to imports again; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a product; with options set them, for administrators. What is set stays so at the next import."""
    if group and public:
        raise typer.BadParameter("give either groups or --public", param_hint="--group")
    if unknown := set(reset or ()) - _RESETS.keys():
        raise typer.BadParameter(f"{unknown.pop()!r} is none of {', '.join(_RESETS)}", param_hint="--reset")
    change: dict[str, Any] = {field: None for word in reset or () for field in _RESETS[word]}
    groups = [] if public else group
    titles, descriptions = _texts(title_en, title_fr), _texts(description_en, description_fr)
    given: dict[str, Any] = {
        "name": name,
        "unit_price": price,
        "currency": currency and currency.upper(),
        "access_groups": groups,
    }
    given |= {"price_unit": price_unit, "tax_class": tax_class, "titles": titles, "descriptions": descriptions}
    change |= {field: value for field, value in given.items() if value is not None}
    limits = {"most_objects": most_objects, "most_bytes": most_bytes}
    change |= {field: value or None for field, value in limits.items() if value is not None}
    path = f"/products/{quote(sku, safe='')}"
    with the_api() as api:
        product = api.patch(path, change) if change else api.get(path)
    if as_json:
        return say_json(product)
    return say(*_lines(product))


def product_price(product: Any) -> str:
    """What a unit of a product costs, as in `12.50 EUR` for an object and `4.00 EUR for a GB`."""
    from models.pricing import UNIT_WORDS, PriceUnit

    price, unit = f"{product['unit_price']} {product['currency']}", PriceUnit(product["price_unit"])
    return price if unit is PriceUnit.OBJECT else f"{price} for {UNIT_WORDS[unit]}"


def _texts(en: str | None, fr: str | None) -> dict[str, str | None] | None:
    """What to set of texts by language; an empty one takes it away."""
    given = {language: text or None for language, text in (("en", en), ("fr", fr)) if text is not None}
    return given or None


def _lines(product: Any) -> list[str]:
    from models.labels import counted, size_in_words

    by_hand = set(product["set_by_hand"] or ())
    size = size_in_words(product["bytes"])
    lines = [
        f"{product['sku']}  {product['name']}{_mark('name', by_hand)}",
        f"price   {product_price(product)}{_mark('unit_price', by_hand)}",
        f"holds   {counted(product['objects'], 'object')}, {counted(product['files'], 'file')}, {size}",
    ]
    if product["tax_class"] != "standard":
        lines.append(f"tax     {product['tax_class']}")
    for word, texts in (("title", product["titles"]), ("about", product["descriptions"])):
        lines += [f"{word:7} {language}: {' '.join(text.split())}" for language, text in sorted(texts.items())]
    if product["access_groups"] is not None:
        who = ", ".join(product["access_groups"]) or "everybody who has signed in"
        lines.append(f"open to {who}{_mark('access_groups', by_hand)}")
    if product["most_objects"]:
        lines.append(f"limit   {counted(product['most_objects'], 'object')} in one order")
    if product["most_bytes"]:
        lines.append(f"limit   {size_in_words(product['most_bytes'])} in one order")
    return lines


def _mark(name: str, by_hand: set[str]) -> str:
    return " (set by hand)" if name in by_hand else ""
