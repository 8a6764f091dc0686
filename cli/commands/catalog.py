"""`consignor catalog …`: imports sources into the catalogue and lists what is in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.common import Json, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from services.catalogue import ChecksumReport, ImportOptions, ImportReport

app = typer.Typer(help="Import products into the catalogue and list them.", no_args_is_help=True)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE", help="A STAC catalog.json or collection.json, the folder it is in, or any folder of files."
    ),
]

_REFUSED_SHOWN = 20


@app.command("import")
def import_(
    source: Source,
    sku: Annotated[str | None, typer.Option(help="The product's SKU, if the source has one product.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name, if the source has one product.")] = None,
    price: Annotated[str | None, typer.Option(help="Price of one object, as in 12.50.", show_default="free")] = None,
    currency: Annotated[str | None, typer.Option(help="Three letters.", show_default="EUR")] = None,
    checksums: Annotated[
        bool, typer.Option("--checksums", help="Also read what is new or changed, so that no order has to wait for it.")
    ] = False,
    group: Annotated[
        list[str] | None,
        typer.Option(help="A group that may see and order it; repeat for several.", show_default="everybody"),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Open it to everybody who has signed in again.")] = False,
    as_json: Json = False,
) -> None:
    """Make the catalogue hold exactly what SOURCE holds: new files come in, vanished ones are withdrawn.

    Each collection of a STAC catalogue is a product, each item an object. Of a plain folder, which is one product, each
    file and each sub-folder is an object. Importing again is safe and says what has changed.
    """
    import asyncio

    if group and public:
        raise typer.BadParameter("give either groups or --public", param_hint="--group")
    groups = () if public else tuple(group) if group else None
    options = _options(sku=sku, name=name, price=price, currency=currency, groups=groups)
    from cli.runtime.settings import load_settings

    reports, read = asyncio.run(_import(load_settings().database_url, source, options, checksums=checksums))
    if as_json:
        print_json([_as_json(report, read.get(report.sku)) for report in reports])
    else:
        _show_reports(reports, read)
    if not any(report.files for report in reports):
        typer.echo(f"consignor: nothing could be imported from {source}", err=True)
        raise typer.Exit(1)


@app.command("list")
def list_products(as_json: Json = False) -> None:
    """List the products with their objects, files, size and price."""
    from cli.api_client import Api
    from cli.runtime.settings import api_url

    with Api(api_url()) as api:
        products = api.get("/products")["items"]
    if as_json:
        return print_json(products)
    if not products:
        return typer.echo("No products yet. Add some with `consignor catalog import SOURCE`.")
    from cli.tables import show

    return show(_products_table(products))


@app.command("objects")
def list_objects(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="SKU of the product.")],
    limit: Annotated[int, typer.Option(min=1, help="How many, by name.")] = 1000,
    as_json: Json = False,
) -> None:
    """List the objects of a product by the names that `order place --object` takes."""
    from itertools import islice
    from urllib.parse import quote

    from cli.api_client import Api
    from cli.runtime.settings import api_url

    with Api(api_url()) as api:
        pages = api.pages(f"/products/{quote(sku, safe='')}/objects", limit=min(limit + 1, 1000))
        found = list(islice(pages, limit + 1))
    shown, more = found[:limit], len(found) > limit
    if as_json:
        return print_json(shown)
    from cli.tables import show

    show(_objects_table(shown))
    return typer.echo(f"… and more: --limit {limit * 10}") if more else None


def _options(**given: str | tuple[str, ...] | None) -> "ImportOptions":
    from pydantic import ValidationError

    from services.catalogue import ImportOptions

    try:
        return ImportOptions.model_validate(given)
    except ValidationError as wrong:
        fault = wrong.errors()[0]
        raise typer.BadParameter(fault["msg"], param_hint=f"--{fault['loc'][0]}") from None


async def _import(
    url: str, source: Path, options: "ImportOptions", *, checksums: bool
) -> "tuple[list[ImportReport], dict[str, ChecksumReport]]":
    import psycopg
    from sqlalchemy.exc import DBAPIError, ProgrammingError

    from cli.errors import CommandFailed
    from database.engine import make_engine, make_sessions
    from models.errors import Failed
    from services.catalogue import import_source

    engine = make_engine(url, pool_size=1)
    try:
        sessions = make_sessions(engine)
        reports = await import_source(sessions, source, options)
        if not checksums:
            return reports, {}
        from cli.checksums import precompute_all

        return reports, await precompute_all(sessions, [report.sku for report in reports if report.files])
    except Failed as failed:
        text = f"imported, but not all checksums could be computed: {failed.failure.text}; run it again"
        raise CommandFailed(text) from failed
    except (DBAPIError, psycopg.Error) as error:
        reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        remedy = "; is it migrated? `consignor migrate`" if isinstance(error, ProgrammingError) else ""
        raise CommandFailed(f"the database did not take the import: {reason}{remedy}") from error
    finally:
        await engine.dispose()


def _as_json(report: "ImportReport", read: "ChecksumReport | None") -> dict[str, Any]:
    known = {"checksums": read.model_dump(mode="json", exclude={"sku"})} if read else {}
    return report.model_dump(mode="json") | {"files": report.files} | known


def _show_reports(reports: "Sequence[ImportReport]", read: "dict[str, ChecksumReport]") -> None:
    from cli.tables import show
    from models.labels import size_in_words

    table = _table("sku", "name", *_COUNTS, "refused", "objects", "size", right=2)
    for report in reports:
        counts = (getattr(report, count) for count in (*_COUNTS, "refused"))
        shown = [f"{len(count) if isinstance(count, tuple) else count:,}" for count in counts]
        _add_row(table, report.sku, report.name, *shown, f"{report.objects:,}", size_in_words(report.size_bytes))
    show(table)
    for report in reports:
        for note in report.notes:
            typer.echo(f"{report.sku}: {note}")
        for refused in report.refused[:_REFUSED_SHOWN]:
            typer.echo(f"{report.sku}: refused {refused.what}: {refused.why}")
        if (more := len(report.refused) - _REFUSED_SHOWN) > 0:
            typer.echo(f"{report.sku}: and {more:,} more were refused; --json lists them all")
    if read:
        from cli.checksums import show_checksums

        show_checksums(read)


_COUNTS = ("added", "changed", "unchanged", "withdrawn")


def _products_table(products: Sequence[Any]) -> "Table":
    from models.labels import size_in_words

    table = _table("sku", "name", "objects", "files", "size", "price", right=2)
    for product in products:
        free = float(product["unit_price"]) == 0
        price = "free" if free else f"{product['unit_price']} {product['currency']}"
        counts = (f"{product['objects']:,}", f"{product['files']:,}", size_in_words(product["bytes"]))
        _add_row(table, product["sku"], product["name"], *counts, price)
    return table


def _objects_table(objects: Sequence[Any]) -> "Table":
    from models.labels import size_in_words

    table = _table("name", "id", "files", "size", right=2)
    for obj in objects:
        _add_row(table, obj["name"], obj["id"], f"{obj['files']:,}", size_in_words(obj["bytes"]))
    return table


def _table(*columns: str, right: int) -> "Table":
    """A table whose columns are numbers from the `right`-th on."""
    from rich.table import Table

    table = Table(box=None, header_style="dim")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index >= right else "left", overflow="fold")
    return table


def _add_row(table: "Table", *cells: str) -> None:
    """Cells as they are: a name may look like rich's markup."""
    from rich.text import Text

    table.add_row(*(Text(cell) for cell in cells))
