"""The first order of a new stack, placed and followed through the public API as any customer would."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2

from cli.errors import CommandFailed
from cli.outages import is_outage

_POLL = 0.05
_PATIENCE = 180.0


@dataclass(frozen=True)
class FirstOrder:
    """How the order went."""

    number: str
    status: str
    succeeded: bool
    seconds: float
    url: str


async def has_orders(api: httpx2.AsyncClient) -> bool:
    """Whether anything was ordered on this stack before."""
    return bool((await _get(api, "/api/v1/orders"))["items"])


async def place(api: httpx2.AsyncClient) -> FirstOrder:
    """Order all of the smallest product and wait until the order has an outcome."""
    began = time.monotonic()
    products = (await _get(api, "/api/v1/products"))["items"]
    if not products:
        raise CommandFailed("the catalogue is empty: there is nothing to order")
    body = {"items": [{"product": _cheapest(products)["sku"], "objects": "all"}]}
    # Asked again with the same key, it is one order all the same.
    answer = await _asked(
        api, "POST", "/api/v1/orders", json=body, headers={"Idempotency-Key": f"first {time.time_ns()}"}
    )
    if answer.status_code >= 400:
        raise CommandFailed(f"the first order was refused ({answer.status_code}): {answer.text}")
    order = await _settled(api, answer.json()["id"])
    return FirstOrder(
        number=str(order.get("number", order["id"])),
        status=str(order.get("status", order["outcome"])),
        succeeded=order["outcome"] == "succeeded",
        seconds=time.monotonic() - began,
        url=f"{str(api.base_url).rstrip('/')}/api/v1/orders/{order['id']}",
    )


def _cheapest(products: list[dict[str, Any]]) -> dict[str, Any]:
    # Free before paid: a paid order would wait for somebody's confirmation.
    return min(products, key=lambda product: (Decimal(product.get("unit_price") or 0), product.get("bytes") or 0))


async def _settled(api: httpx2.AsyncClient, order_id: str) -> Mapping[str, Any]:
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                if (order := await _get(api, f"/api/v1/orders/{order_id}"))["outcome"] != "pending":
                    return order
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise CommandFailed(f"the first order has no outcome after {_PATIENCE:.0f} s") from None


async def _get(api: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    return _checked(await _asked(api, "GET", path))


async def _asked(api: httpx2.AsyncClient, method: str, path: str, **options: Any) -> httpx2.Response:
    """What the API answers; while it is unavailable, as on a busy machine at its start, it is asked again.

    Raises CommandFailed when it has been unavailable for too long.
    """
    answer: httpx2.Response | None = None
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                with suppress(httpx2.TransportError):
                    answer = await api.request(method, path, **options)
                    if not is_outage(answer):
                        return answer
                await asyncio.sleep(_POLL)
    except TimeoutError:
        said = f": {answer.status_code} {answer.text}" if answer is not None else ""
        raise CommandFailed(f"the API does not answer after {_PATIENCE:.0f} s{said}") from None


def _checked(answer: httpx2.Response) -> dict[str, Any]:
    if answer.is_error:
        raise CommandFailed(f"GET {answer.url.path} answered {answer.status_code}: {answer.text}")
    found: dict[str, Any] = answer.json()
    return found
