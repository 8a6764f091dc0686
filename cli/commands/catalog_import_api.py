"""`consignor catalog import-api`: imports a STAC API, or a collection or ItemCollection of one, over HTTP."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.catalog_reports import import_options, tell_of_import
from cli.commands.common import Json

if TYPE_CHECKING:
    from services.catalogue import ImportOptions, ImportReport
    from services.catalogue.stac_api import ApiSource
    from storage.sources.web_documents import WebDocuments


def import_from_api(
    url: Annotated[str, typer.Argument(metavar="URL", help="A STAC API, one of its collections, or its items.")],
    files: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files of its items lie on this disk.")],
    files_at: Annotated[
        str | None, typer.Option(metavar="URL", help="The URL that this folder is served at, as its items say it.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Only items written since, by `updated` or `created`. Local time."),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="Requests a second, at most.")] = 5.0,
    sku: Annotated[str | None, typer.Option(help="The product's SKU, if it is one collection.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name, if it is one collection.")] = None,
    allow_withdrawals: Annotated[
        bool, typer.Option("--allow-withdrawals", help="Withdraw whatever is gone, even if it is most of a product.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the catalogue hold what a STAC API says, as far as its files lie in FOLDER.

    One that was cut goes on where it was. With --since nothing is withdrawn. What lies elsewhere is refused by name,
    for files are not read from the web.
    """
    import asyncio

    from cli.local_time import from_then
    from cli.runtime.loading import load_settings
    from models.errors import Refusal
    from services.catalogue.stac_api import ApiSource
    from storage.sources.web_documents import WebDocuments, origin_of

    try:
        documents = WebDocuments(url, rate=rate)
        if files_at is not None:
            origin_of(files_at)
    except Refusal as refusal:
        raise typer.BadParameter(str(refusal), param_hint="URL") from None
    begin: datetime | None = datetime.fromisoformat(from_then(since)) if since else None
    source = ApiSource(url, str(files.absolute()), files_at, begin)
    options = import_options(sku=sku, name=name, allow_withdrawals=allow_withdrawals)
    reports = asyncio.run(_import(load_settings().database_url, source, options, documents, quiet=as_json))
    tell_of_import(url, reports, {}, as_json=as_json)


async def _import(
    database_url: str, source: "ApiSource", options: "ImportOptions", documents: "WebDocuments", *, quiet: bool
) -> "list[ImportReport]":
    from cli.progress import counting
    from database.engine import make_engine, make_sessions
    from services.catalogue.stac_api import import_api

    engine = make_engine(database_url, pool_size=1)
    try:
        with counting("items read", quiet) as looked:
            return await import_api(make_sessions(engine), source, options, documents, looked)
    finally:
        await engine.dispose()
