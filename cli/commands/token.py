"""`consignor token …`: access tokens for scripts, and bearer tokens of somebody of the dev stack."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.commands.common import Json, Yes, confirm, the_api
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from cli.api_client import Api

app = typer.Typer(help="Make, list and revoke access tokens; alone, print a token of the dev stack.")

User = Annotated[str, typer.Option(help="alice or bob (customers), sam (support) or admin.")]
Hours = Annotated[int, typer.Option(min=1, max=24 * 365, help="How long it lasts.")]


class Scope(StrEnum):
    """What an access token is for."""

    READ = "read"
    ORDER = "order"
    OPERATE = "operate"


@app.callback(invoke_without_command=True)
def token(context: typer.Context, user: User = "alice", hours: Hours = 12) -> None:
    """Make, list and revoke access tokens for scripts. Without a command: print a token for the running dev stack.

    It is a bearer token, as in `curl -H "Authorization: Bearer $(consignor token)" …`. Elsewhere the identity provider
    gives out tokens: sign in with `consignor login`.
    """
    if context.invoked_subcommand is not None:
        return
    from cli.credentials import token_of
    from cli.runtime.shell_settings import api_url

    say(token_of(user, api_url(), lifetime=hours * 3600))


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What you call it, such as the script that will use it.")],
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; repeat for several.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it lasts.")] = 90,
    as_json: Json = False,
) -> None:
    """Make an access token for a script, and print it: it is shown this once and never again.

    Only the token goes to stdout, as in `export CONSIGNOR_TOKEN=$(consignor token create nightly --scope read)`.
    """
    from cli.local_time import instant

    with the_api() as api:
        made = api.post("/tokens", {"name": name, "scopes": [str(one) for one in scope], "days": days})
    if as_json:
        return say_json(made)
    say(f"{made['name']}: {', '.join(made['scopes'])}, until {instant(made['expires_at'])}", err=True)
    return say(made["token"])


@app.command("list")
def list_tokens(
    everybodys: Annotated[bool, typer.Option("--all", help="Everybody's; for administrators.")] = False,
    as_json: Json = False,
) -> None:
    """List your access tokens, newest first, without their secrets."""
    from cli.local_time import instant
    from cli.tables import Grid, show

    with the_api() as api:
        found = list(api.items("/tokens", scope="all" if everybodys else None))
    if as_json:
        return say_json(found)
    if not found:
        return say("No access tokens. Make one with `consignor token create NAME --scope read`.")
    table = Grid("name", "for", "until", "last used", "id", whole=("until", "last used", "id"), spare=("id",))
    for one in found:
        used = instant(one["last_used_at"]) if one["last_used_at"] else "never"
        table.add_cells(one["name"], ", ".join(one["scopes"]), instant(one["expires_at"]), used, one["id"])
    return show(table)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="TOKEN", help="Its name or its id.")],
    yes: Yes = False,
) -> None:
    """Revoke an access token, at once and for good."""
    with the_api() as api:
        found = _find(api, key)
        confirm(f"Revoke the access token {found['name']!r}? What uses it stops at once.", yes=yes)
        api.delete(f"/tokens/{found['id']}")
    say(f"{found['name']}  revoked")


def _find(api: "Api", key: str) -> Any:
    """An access token by id, or by its name among one's own. Raises CommandFailed."""
    from cli.errors import CommandFailed

    try:
        return api.get(f"/tokens/{UUID(key)}")
    except ValueError:
        found = [one for one in api.items("/tokens") if one["name"] == key]
    if not found:
        raise CommandFailed(f"you have no access token called {key!r}; `consignor token list` shows them")
    if len(found) > 1:
        raise CommandFailed(f"{len(found)} access tokens are called {key!r}: give an id of `consignor token list`")
    return found[0]
