"""What the commands that ask the API share: a client of it, the option --json, and how an order is named."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.api_client import Api

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
OrderId = Annotated[str, typer.Argument(metavar="ID", help="The order's id or its number, as in CO-2026-000042.")]


def the_api() -> "Api":
    """A client of the API that the settings name; imported only now, for help must not wait for it."""
    from cli.api_client import Api
    from cli.runtime.settings import api_url

    return Api(api_url())
