"""`consignor price …`: price lists of groups, discounts and coupons, tax. For administrators; staff reads them."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.commands.common import Json, Yes, confirm, the_api
from cli.terminal import say, say_json

app = typer.Typer(help="Set price lists of groups, discounts, coupons and tax.", no_args_is_help=True)

Group = Annotated[str, typer.Argument(help="An access group.")]
Sku = Annotated[str, typer.Argument(metavar="SKU", help="A product.")]
CountryCode = Annotated[str, typer.Argument(metavar="COUNTRY", help="In two letters, such as FR.")]
TaxClass = Annotated[str, typer.Argument(metavar="CLASS", help="Of products, such as standard.")]


@app.command("lists")
def list_prices(as_json: Json = False) -> None:
    """List what groups pay instead of products' own prices."""
    _show("/prices/lists", ("group", "product", "unit_price", "currency", "price_unit"), as_json)


@app.command("set")
def set_price(
    group: Group, product: Sku, price: Annotated[str, typer.Argument(help="For a unit, in the product's currency.")]
) -> None:
    """Set what a group pays for a product."""
    with the_api() as api:
        row = api.put(f"/prices/lists/{_named(group)}/{_named(product)}", {"unit_price": price})
    say(f"{group}  {product}  {row['unit_price']} {row['currency']} ({row['price_unit']})")


@app.command()
def unset(group: Group, product: Sku) -> None:
    """Let a group pay a product's own price again."""
    with the_api() as api:
        api.delete(f"/prices/lists/{_named(group)}/{_named(product)}")
    say(f"{group}  {product}  at its own price")


@app.command("discounts")
def list_discounts(as_json: Json = False) -> None:
    """List discounts and coupons, with how often these were used."""
    columns = ("id", "name", "code", "percent", "amount", "currency", "minimum", "valid_until", "uses", "most_uses")
    _show("/prices/discounts", columns, as_json)


@app.command("discount")
def add_discount(
    name: Annotated[str, typer.Argument(help="What customers and invoices call it.")],
    percent: Annotated[str | None, typer.Option(help="What it takes off, of a hundred.")] = None,
    amount: Annotated[str | None, typer.Option(help="What it takes off, with --currency.")] = None,
    currency: Annotated[str | None, typer.Option(help="Of the amount and the minimum.")] = None,
    code: Annotated[str | None, typer.Option(help="Makes it a coupon, which customers give.")] = None,
    minimum: Annotated[str | None, typer.Option(help="The subtotal from which it is given.")] = None,
    product: Annotated[list[str] | None, typer.Option(help="A product it is for, if not all; repeat.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group it is for, if not everybody; repeat.")] = None,
    valid_from: Annotated[str | None, typer.Option("--from", help="An instant, as in 2026-12-01T00:00:00Z.")] = None,
    valid_until: Annotated[str | None, typer.Option("--until", help="The instant at which it is over.")] = None,
    uses: Annotated[int | None, typer.Option(min=0, help="Orders that may use the code.")] = None,
    uses_each: Annotated[int | None, typer.Option(min=0, help="Orders of one customer that may.")] = None,
    as_json: Json = False,
) -> None:
    """Add a discount by percentage or amount; with a code it is a coupon."""
    body = {
        "name": name, "percent": percent, "amount": amount, "currency": currency, "code": code, "minimum": minimum,
        "products": product or [], "groups": group or [], "valid_from": valid_from, "valid_until": valid_until,
        "most_uses": uses, "most_uses_each": uses_each,
    }  # fmt: skip
    with the_api() as api:
        row = api.post("/prices/discounts", body)
    if as_json:
        return say_json(row)
    off = f"{row['percent']} %" if row["percent"] else f"{row['amount']} {row['currency']}"
    return say("  ".join(filter(None, (row["id"], row["name"], row["code"], f"{off} off"))))


@app.command()
def drop(
    discount: Annotated[str, typer.Argument(metavar="ID", help="Of a discount or coupon.")], yes: Yes = False
) -> None:
    """End a discount or coupon; what it has taken off orders stays."""
    confirm(f"End the discount {discount}?", yes=yes)
    with the_api() as api:
        api.delete(f"/prices/discounts/{_named(discount)}")
    say(f"{discount}  ended")


@app.command("taxes")
def list_taxes(as_json: Json = False) -> None:
    """List the rates of tax."""
    _show("/prices/tax-rates", ("country", "tax_class", "percent", "name"), as_json)


@app.command("tax")
def set_tax(
    country: CountryCode,
    tax_class: TaxClass,
    percent: Annotated[str, typer.Argument(help="Of a hundred.")],
    name: Annotated[str, typer.Option(help="What the country calls it.")] = "VAT",
) -> None:
    """Set what a country takes of a class of products."""
    with the_api() as api:
        row = api.put(f"/prices/tax-rates/{_named(country)}/{_named(tax_class)}", {"percent": percent, "name": name})
    say(f"{country}  {tax_class}  {row['name']} {row['percent']} %")


@app.command()
def untax(country: CountryCode, tax_class: TaxClass) -> None:
    """Tax a class of products in a country no more."""
    with the_api() as api:
        api.delete(f"/prices/tax-rates/{_named(country)}/{_named(tax_class)}")
    say(f"{country}  {tax_class}  not taxed")


@app.command()
def terms(
    country: Annotated[
        str | None, typer.Option(metavar="XX", help="Where customers are taxed who say nothing; `none` for nowhere.")
    ] = None,
    tax_included: Annotated[
        bool | None, typer.Option("--tax-included/--tax-on-top", help="Whether prices include tax.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what holds for all prices, or set it."""
    given: dict[str, Any] = {"country": None if country == "none" else country} if country else {}
    given |= {"tax_included": tax_included} if tax_included is not None else {}
    with the_api() as api:
        found = api.get("/prices/terms")
        if given:
            found = api.put("/prices/terms", found | given)
    if as_json:
        return say_json(found)
    where = found["country"] or "nowhere"
    return say(f"taxed in {where}, tax {'included' if found['tax_included'] else 'on top'}")


def _named(text: str) -> str:
    return quote(text, safe="")


def _show(path: str, columns: tuple[str, ...], as_json: bool) -> None:
    with the_api() as api:
        rows: list[Any] = list(api.items(path))
    if as_json:
        return say_json(rows)
    from cli.tables import Grid, show

    table = Grid(*(name.replace("_", " ") for name in columns))
    for row in rows:
        table.add_cells(*("" if row[name] is None else str(row[name]) for name in columns))
    return show(table) if rows else say("Nothing has been set.")
