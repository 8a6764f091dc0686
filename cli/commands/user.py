"""`consignor user …`: what operators do about users; anybody may name themselves."""

from typing import Annotated
from urllib.parse import quote

import typer

from cli.commands.common import Json, the_api
from cli.terminal import say, say_json

app = typer.Typer(help="Sign users out.", no_args_is_help=True)


@app.callback()
def user() -> None:
    """Sign users out."""


@app.command("sign-out")
def sign_out(
    user_id: Annotated[str, typer.Argument(metavar="USER", help="The user's id, as orders have it; `me` is yourself.")],
    as_json: Json = False,
) -> None:
    """End all sessions and access tokens of a user, and refuse what the identity provider has issued until now."""
    with the_api() as api:
        customer = api.get("/me")["id"] if user_id == "me" else user_id
        ended = api.post(f"/users/{quote(customer, safe='')}:sign-out")
    if as_json:
        return say_json(ended)
    return say(f"{customer}  signed out: {ended['sessions']} sessions and {ended['access_tokens']} access tokens ended")
