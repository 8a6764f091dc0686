"""What a token made that may not read it: no failure, unless somebody was to wait for it."""

import httpx2 as httpx
import pytest

from cli.api_client import Api
from cli.commands.common import waiting_needs_reading
from cli.credentials import Credential
from cli.errors import CommandFailed, MadeUnshown

WHERE = "http://api.test/api/v1/orders/1"


def place(*, wait: bool) -> None:
    """Place an order at an API that shows nothing of it."""
    transport = httpx.MockTransport(lambda _: httpx.Response(204, headers={"Location": WHERE}))
    with (
        Api("http://api.test", Credential.fixed("token"), transport=transport) as api,
        waiting_needs_reading(wait),
    ):
        api.post("/orders", {})


def test_what_was_made_is_told_by_its_url() -> None:
    with pytest.raises(MadeUnshown, match=f"made {WHERE}; this access token may not read it"):
        place(wait=False)


def test_waiting_for_it_fails() -> None:
    with pytest.raises(CommandFailed, match=f"made {WHERE}.* cannot wait for it"):
        place(wait=True)
