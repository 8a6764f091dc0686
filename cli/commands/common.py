"""What the commands that ask the API share: a client of it, options, how an order is named, and questions."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.completion import complete_order, complete_product

if TYPE_CHECKING:
    from cli.api_client import Api

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
OrderId = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The order's id or its number, as in CO-2026-000042.", autocompletion=complete_order
    ),
]

Products = Annotated[
    list[str] | None,
    typer.Option("--product", help="SKU of a product; repeat for several.", autocompletion=complete_product),
]


def the_api() -> "Api":
    """A client of the API that the settings name; imported only now, for help must not wait for it."""
    from cli.api_client import Api
    from cli.runtime.shell_settings import api_url

    return Api(api_url())


@contextmanager
def waiting_needs_reading(wait: bool) -> Iterator[None]:
    """Have it be a failure that what is made may not be read, where somebody was to wait for it."""
    from cli.errors import CommandFailed, MadeUnshown

    try:
        yield
    except MadeUnshown as made:
        if wait:
            raise CommandFailed(f"{made}, and so cannot wait for it") from None
        raise


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be undone. Raises Abort where the answer is no, BadParameter where nobody can answer."""
    if yes:
        return
    somebody_to_ask()
    from models.text import shown

    typer.confirm(shown(question), abort=True, err=True)


def somebody_to_ask() -> None:
    """Raise BadParameter where nobody can answer a question, such as in a pipe."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask: give --yes", param_hint="--yes")
