"""`consignor migrate`: the database brought up to date."""

from typing import Annotated

import typer

from cli.terminal import say

Revision = Annotated[str, typer.Argument(help="The revision to go up to.")]


def migrate(revision: Revision = "head") -> None:
    """Migrate the database in DATABASE_URL, else the running stack's; does nothing where nothing is to be done."""
    from cli.runtime.settings import load_settings

    url = load_settings().database_url
    from migrations.run import upgrade

    upgrade(url, revision)
    say(f"The database is at {revision}.")
