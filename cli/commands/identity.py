"""`consignor login`, `logout`, `whoami` and `quotas`: who one is to the API, and how much one may have."""

import os
import sys
from typing import Annotated

import typer

from cli.commands.common import Json, the_api
from cli.terminal import say, say_json

Url = Annotated[
    str | None,
    typer.Argument(metavar="[URL]", help="The API's address, for this and the next commands.", show_default=False),
]


def login(
    url: Url = None,
    device: Annotated[
        bool, typer.Option("--device", help="Sign in on any device, with a code; also where there is no browser here.")
    ] = False,
) -> None:
    """Sign in at the identity provider of the API; the next commands act as you until `consignor logout`.

    A browser is opened. What is kept of the login lies in your configuration folder, for your eyes alone.
    """
    import httpx2

    from cli.api_client import Api
    from cli.credentials import Credential, refuse_plain
    from cli.logins import Logins
    from cli.runtime.shell_settings import api_url, shell_settings
    from cli.sign_in import provider_of, sign_in_elsewhere, sign_in_with_browser

    api = (url or api_url()).rstrip("/")
    refuse_plain(shell_settings(), api)
    with httpx2.Client(timeout=30) as http:
        provider = provider_of(api, http)
        elsewhere = device or (not _has_browser() and "device_authorization_endpoint" in provider.metadata)
        sign_in = sign_in_elsewhere if elsewhere else sign_in_with_browser
        tokens = sign_in(provider, http, lambda line: say(line, err=True))
    # Kept only when the API believes it.
    with Api(api, Credential.fixed(tokens.access_token)) as asked:
        me = asked.get("/me")
    Logins().keep(api, tokens)
    say(f"signed in at {api} as {me['name'] or me['id']}")
    if "CONSIGNOR_TOKEN" in os.environ:
        say("CONSIGNOR_TOKEN is set and goes before the login: unset it", err=True)


def logout(url: Url = None) -> None:
    """Sign out: forget the login, and have the identity provider end it where it can."""
    from cli.logins import Logins
    from cli.runtime.shell_settings import api_url
    from cli.sign_in import end_login

    api = (url or api_url()).rstrip("/")
    tokens = Logins().forget(api)
    if tokens is None:
        return say(f"you are not signed in at {api}")
    end_login(tokens)
    return say(f"signed out at {api}")


def _has_browser() -> bool:
    """Whether a browser that is opened here is seen by who has called us."""
    remote = "SSH_CONNECTION" in os.environ
    return not remote and (sys.platform == "darwin" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()))


def whoami(as_json: Json = False) -> None:
    """Show who you are to the API, what you may, and where the token comes from."""
    with the_api() as api:
        me = api.get("/me")
        source, url = api.credential.source, api.url
    if as_json:
        return say_json(me | {"api": url, "token_from": source})
    say(f"{me['name'] or me['id']}" + (f"  {me['email']}" if me["email"] else ""))
    say(f"id      {me['id']}", f"roles   {', '.join(me['roles']) or 'none'}")
    if me["groups"]:
        say(f"groups  {', '.join(me['groups'])}")
    if me["scopes"] is not None:
        say(f"scopes  {', '.join(me['scopes']) or 'none'}")
    return say(f"api     {url}", f"token   from {source}")


def quotas(as_json: Json = False) -> None:
    """Show your limits, and what is left of them."""
    from cli.tables import Grid, show
    from models.labels import size_in_words

    with the_api() as api:
        found = api.get("/quotas")["items"]
    if as_json:
        return say_json(found)
    if not found:
        return say("There are no limits.")
    table = Grid("limit", "in", "of", "used", "left", right=2)
    for quota in found:
        words = size_in_words if "bytes" in quota["name"] else "{:,}".format
        amounts = (words(quota[name]) for name in ("limit", "used", "remaining"))
        table.add_cells(quota["name"].replace("_", " "), _span(quota["window_seconds"]), *amounts)
    return show(table)


def _span(seconds: int | None) -> str:
    """The span that a limit looks back on."""
    if seconds is None:
        return ""
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds % length == 0:
            return f"a {unit}" if seconds == length else f"{seconds // length} {unit}s"
    raise AssertionError("a span has whole seconds")
