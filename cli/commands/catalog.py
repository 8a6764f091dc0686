"""`consignor catalog …`: imports sources into the catalogue and lists what is in it."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.catalog_import_api import import_from_api
from cli.commands.catalog_product import product_price, show_or_set_product
from cli.commands.catalog_reports import REFUSED_SHOWN, import_options, tell_of_import
from cli.commands.catalog_search import search_catalog
from cli.commands.catalog_watch import watch_folder
from cli.commands.common import Json, Yes, confirm, somebody_to_ask
from cli.commands.completion import complete_product
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from cli.runtime.settings import Settings
    from cli.tables import Grid
    from services.catalogue import ChecksumReport, ImportOptions, ImportReport, ProductRemoval

app = typer.Typer(help="Import products into the catalogue, list and search them.", no_args_is_help=True)
app.command("search")(search_catalog)
app.command("import-api")(import_from_api)
app.command("watch")(watch_folder)
app.command("product")(show_or_set_product)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE", help="A STAC catalog.json or collection.json, the folder it is in, or any folder of files."
    ),
]


@app.command("import")
def import_(
    source: Source,
    sku: Annotated[str | None, typer.Option(help="The product's SKU, if the source has one product.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name, if the source has one product.")] = None,
    price: Annotated[
        str | None,
        typer.Option(help="Price of one object, with the decimals of its currency, as in 12.50.", show_default="free"),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Its three letters (ISO 4217), as in EUR.", show_default="EUR")
    ] = None,
    checksums: Annotated[
        bool, typer.Option("--checksums", help="Also read what is new or changed, so that no order has to wait for it.")
    ] = False,
    group: Annotated[
        list[str] | None,
        typer.Option(help="A group that may see and order it; repeat for several.", show_default="everybody"),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Open it to everybody who has signed in again.")] = False,
    allow_withdrawals: Annotated[
        bool, typer.Option("--allow-withdrawals", help="Withdraw whatever is gone, even if it is most of a product.")
    ] = False,
    moved: Annotated[
        bool, typer.Option("--moved", help="The product is at another place now, with other files than before.")
    ] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Take hidden entries at the top of a folder, too.")] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Take a folder as plain files, whatever STAC documents are in it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the catalogue hold exactly what SOURCE holds: new files come in, vanished ones are withdrawn.

    Each collection of a STAC catalogue is a product, each item an object. Of a plain folder, which is one product, each
    file and each sub-folder is an object, with all that is in it. Importing again is safe and says what has changed.

    What could not be looked at stays as it is and is named; then the command exits with 1.
    """
    import asyncio

    if group and public:
        raise typer.BadParameter("give either groups or --public", param_hint="--group")
    groups = () if public else tuple(group) if group else None
    beliefs = {"allow_withdrawals": allow_withdrawals, "moved": moved, "hidden": hidden, "plain": plain}
    options = import_options(sku=sku, name=name, price=price, currency=currency, groups=groups, **beliefs)
    from cli.runtime.loading import load_settings

    reports, read = asyncio.run(_import(load_settings(), source, options, checksums=checksums, quiet=as_json))
    tell_of_import(source, reports, read, as_json=as_json)


@app.command("list")
def list_products(as_json: Json = False) -> None:
    """List the products with their objects, files, size and price."""
    from cli.api_client import Api
    from cli.runtime.shell_settings import api_url

    with Api(api_url()) as api:
        products = list(api.items("/products"))
    if as_json:
        return say_json(products)
    if not products:
        return say("No products yet. Add some with `consignor catalog import SOURCE`.")
    from cli.tables import show

    return show(_products_table(products))


@app.command("objects")
def list_objects(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="SKU of the product.", autocompletion=complete_product)],
    limit: Annotated[int, typer.Option(min=1, help="How many, by name.")] = 1000,
    as_json: Json = False,
) -> None:
    """List the objects of a product by the names that `order place --object` takes."""
    from itertools import islice
    from urllib.parse import quote

    from cli.api_client import Api
    from cli.runtime.shell_settings import api_url

    with Api(api_url()) as api:
        objects = api.items(f"/products/{quote(sku, safe='')}/objects", limit=min(limit + 1, 1000))
        found = list(islice(objects, limit + 1))
    shown, more = found[:limit], len(found) > limit
    if as_json:
        return say_json(shown)
    from cli.tables import show

    show(_objects_table(shown))
    return say(f"… and more: --limit {limit * 10}") if more else None


@app.command("remove")
def remove(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="SKU of the product.", autocompletion=complete_product)],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take a product out of the catalogue. Its files stay where they are, and orders keep what they have.

    Archives that are being made or offered go on. Orders that are not that far yet are refused. If the same SKU is
    imported again, its orders find it again. For operators: works on the database itself.
    """
    import asyncio

    from cli.runtime.loading import load_settings
    from models.labels import counted

    url = load_settings().database_url
    if not yes:
        somebody_to_ask()
        found = asyncio.run(_removal(url, sku, remove=False))
        say(f"{found.sku}  {found.name}  {counted(found.objects, 'object')}, {counted(found.files, 'file')}")
        _show_orders(found)
        confirm("Remove it from the catalogue?", yes=yes)
    done = asyncio.run(_removal(url, sku, remove=True))
    if as_json:
        return say_json(done.model_dump(mode="json"))
    say(f"{done.sku}  removed with {counted(done.objects, 'object')}, {counted(done.files, 'file')}")
    return _show_orders(done)


def _show_orders(removal: "ProductRemoval") -> None:
    from models.labels import counted

    if removal.orders:
        shown = ", ".join(removal.orders[:REFUSED_SHOWN]) + (" …" if len(removal.orders) > REFUSED_SHOWN else "")
        say(f"{counted(len(removal.orders), 'order')} not planned yet, which go without it: {shown}")


async def _removal(url: str, sku: str, *, remove: bool) -> "ProductRemoval":
    from database.engine import make_engine, make_sessions
    from services.catalogue import preview_removal, remove_product

    engine = make_engine(url, pool_size=1)
    try:
        return await (remove_product if remove else preview_removal)(make_sessions(engine), sku)
    finally:
        await engine.dispose()


async def _import(
    settings: "Settings", source: Path, options: "ImportOptions", *, checksums: bool, quiet: bool
) -> "tuple[list[ImportReport], dict[str, ChecksumReport]]":
    from cli.errors import CommandFailed
    from cli.progress import counting
    from database.engine import make_engine, make_sessions
    from models.errors import Failed
    from services.catalogue import import_source

    engine = make_engine(settings.database_url, pool_size=1)
    try:
        sessions = make_sessions(engine)
        with counting("looked at", quiet) as looked:
            reports = await import_source(sessions, source, options, looked)
        if not checksums:
            return reports, {}
        from cli.checksums import precompute_all

        skus = [report.sku for report in reports if report.files and report.product != "left"]
        return reports, await precompute_all(sessions, skus, pieces=settings.pieces)
    except Failed as failed:
        text = f"imported, but not all checksums could be computed: {failed.failure.text}; run it again"
        raise CommandFailed(text) from failed
    finally:
        await engine.dispose()


def _products_table(products: Sequence[Any]) -> "Grid":
    from cli.tables import Grid
    from models.labels import size_in_words

    table = Grid("sku", "name", "objects", "files", "size", "price", right=2)
    for product in products:
        free = not Decimal(product["unit_price"])
        price = "free" if free else product_price(product)
        counts = (f"{product['objects']:,}", f"{product['files']:,}", size_in_words(product["bytes"]))
        table.add_cells(product["sku"], product["name"], *counts, price)
    return table


def _objects_table(objects: Sequence[Any]) -> "Grid":
    from cli.tables import Grid
    from models.labels import size_in_words

    table = Grid("name", "id", "files", "size", right=2, whole=("id", "files", "size"))
    for obj in objects:
        table.add_cells(obj["name"], obj["id"], f"{obj['files']:,}", size_in_words(obj["bytes"]))
    return table
