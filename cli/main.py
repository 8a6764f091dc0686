"""The `consignor` command: its sub-commands and nothing else."""

import os
import sys
from contextlib import suppress
from typing import Annotated

import typer

from cli.errors import MadeUnshown, failure_of
from cli.lazy import group_of
from cli.terminal import accept_every_character, say

# One line for each command, in the order of `consignor --help`.
_COMMANDS = {
    "dev": "cli.commands.dev:dev",
    "doctor": "cli.commands.doctor:doctor",
    "catalog": "cli.commands.catalog:app",
    "cart": "cli.commands.cart:app",
    "order": "cli.commands.order:app",
    "bulk": "cli.commands.bulk:app",
    "destination": "cli.commands.destination:app",
    "price": "cli.commands.price:app",
    "token": "cli.commands.token:app",
    "login": "cli.commands.identity:login",
    "logout": "cli.commands.identity:logout",
    "whoami": "cli.commands.identity:whoami",
    "settings": "cli.commands.settings:app",
    "quotas": "cli.commands.identity:quotas",
    "user": "cli.commands.user:app",
    "worker": "cli.commands.worker:worker",
    "api": "cli.commands.api:api",
    "migrate": "cli.commands.migrate:migrate",
}

app = typer.Typer(
    cls=group_of(_COMMANDS),
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


def main() -> None:
    """Run the command; what went wrong is a sentence on stderr, and the exit code 1."""
    accept_every_character()
    try:
        app()
    except MadeUnshown as made:
        say(str(made))
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
