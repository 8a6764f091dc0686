"""What the shell offers when a word is completed: asked of the API, and nothing at all where it does not answer."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_OFFERED = 100


def complete_order(incomplete: str) -> Iterator[tuple[str, str]]:
    """Numbers of the newest orders."""
    for order in _items("/orders", limit=_OFFERED):
        if order["number"].startswith(incomplete.upper()):
            yield order["number"], f"{order['status']}, {order['label']}"


def complete_product(incomplete: str) -> Iterator[tuple[str, str]]:
    """SKUs of the catalogue."""
    for product in _items("/products"):
        if product["sku"].startswith(incomplete):
            yield product["sku"], product["name"]


def _items(path: str, **params: Any) -> list[Any]:
    from cli.api_client import Api
    from cli.runtime.shell_settings import api_url

    # Whatever is wrong is said by the command itself: a completion that speaks spoils the line that is being typed.
    with suppress(Exception), Api(api_url()) as api:
        return list(api.get(path, **params)["items"])
    return []
