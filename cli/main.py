"""The `consignor` command: its sub-commands and nothing else."""

import os
import sys
from contextlib import suppress
from typing import Annotated

import typer

from cli.commands import api, bulk, catalog, destination, dev, doctor, identity, migrate, order, token, user, worker
from cli.errors import failure_of
from cli.terminal import accept_every_character, say

app = typer.Typer(
    name="consignor",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage. `consignor dev` is the place to begin.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"consignor {version('consignor')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
]


@app.callback()
def _consignor(version: Version = False) -> None:
    """Fulfils data orders: every order is a durable Temporal workflow from cart to download."""


# One line for each command, in the order of `consignor --help`; groups are added with add_typer.
app.command()(dev.dev)
app.command()(doctor.doctor)
app.add_typer(catalog.app, name="catalog")
app.add_typer(order.app, name="order")
app.add_typer(bulk.app, name="bulk")
app.add_typer(destination.app, name="destination")
app.add_typer(token.app, name="token")
app.command()(identity.login)
app.command()(identity.logout)
app.command()(identity.whoami)
app.command()(identity.quotas)
app.add_typer(user.app, name="user")
app.command()(worker.worker)
app.command()(api.api)
app.command()(migrate.migrate)


def main() -> None:
    """Run the command; what went wrong is a sentence on stderr, and the exit code 1."""
    accept_every_character()
    try:
        app()
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        _leave_stdout()
        with suppress(OSError):
            say(*f"consignor: {failure}".split("\n"), err=True)
        sys.exit(1)


def _leave_stdout() -> None:
    """Send what stdout still holds nowhere if it cannot be written: Python would try again at its end, and say so."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
