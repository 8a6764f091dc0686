"""`consignor token`: a bearer token of somebody of the dev stack."""

from typing import Annotated

import typer

from cli.terminal import say

User = Annotated[str, typer.Option(help="alice or bob (customers), sam (support) or admin.")]
Hours = Annotated[int, typer.Option(min=1, max=24 * 365, help="How long it lasts.")]


def token(user: User = "alice", hours: Hours = 12) -> None:
    """Print a bearer token for the running dev stack, as in `curl -H "Authorization: Bearer $(consignor token)" …`.

    Elsewhere the identity provider gives out tokens; the other commands show what is in CONSIGNOR_TOKEN.
    """
    from cli.credentials import token_of
    from cli.runtime.settings import api_url

    say(token_of(user, api_url(), lifetime=hours * 3600))
