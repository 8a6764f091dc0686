"""`consignor migrate`: the database brought up to date."""

from typing import Annotated

import typer

from cli.terminal import say

Revision = Annotated[str, typer.Argument(help="The revision to go up to.")]


def migrate(revision: Revision = "head") -> None:
    """Migrate the database in DATABASE_URL, else the running stack's; does nothing where nothing is to be done."""
    import asyncio

    from cli.errors import CommandFailed
    from cli.runtime.loading import load_settings
    from database.readiness import check
    from migrations.head import head

    url = load_settings().database_url
    unready = asyncio.run(check(url, head()))
    if unready and unready.code != "not_migrated":
        raise CommandFailed(f"the database cannot be migrated: {unready}")
    from migrations.run import upgrade

    upgrade(url, revision)
    say(f"The database is at {revision}.")
