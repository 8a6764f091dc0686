"""`consignor cart` as a person or a script meets it, on the API in this process: what it prints, and the exit codes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from api.dependencies import Services
from cli.api_client import Api
from cli.cart_tables import cart_products, cart_selections
from cli.commands.cart_order import place_cart
from cli.credentials import Credential
from cli.errors import CommandFailed
from tests.api.conftest import MakeProduct, issuer, make_product, operations, readers, services, temporal_away
from tests.api.serving import served
from tests.cli.shell import Done, run
from tests.cli.test_tables import drawn
from tests.issuer import Issuer

__all__ = ["issuer", "make_product", "operations", "readers", "services", "temporal_away"]

Cart = Callable[..., Awaitable[Done]]
SCENES = {"winter": {"b1.tif": b"1" * 10, "b2.tif": b"2"}, "spring": {"b1.tif": b"3" * 5}}
PRINTS = {"wall": {"a.pdf": b"1"}, "winter": {"a.pdf": b"22"}}


@pytest.fixture
async def where(services: Services, issuer: Issuer, database_url: str) -> AsyncIterator[dict[str, str]]:
    """What a command has to know to find the API as its customer."""
    # The API logs to the stdout of its process, which the commands print to here.
    with capture_logs():
        async with served(services, database_url, is_public=True) as address:
            yield {"CONSIGNOR_PUBLIC_URL": address, "CONSIGNOR_TOKEN": issuer.token("local")}


@pytest.fixture
async def cart(where: dict[str, str], make_product: MakeProduct) -> Cart:
    """The command, with two products in the catalogue of which one costs something."""
    await make_product(files=SCENES, price="2.50")
    await make_product("prints", files=PRINTS)

    async def given(*words: str | Path, stdin: str | None = None) -> Done:
        return await asyncio.to_thread(run, where, "cart", *words, stdin=stdin)

    return given


async def test_what_can_be_added_is_in_the_cart_and_the_rest_is_told_with_its_reason(cart: Cart) -> None:
    assert (await cart("list")).stdout == "The cart is empty. Put something into it with `consignor cart add`.\n"
    done = await cart("add", "--product", "scenes")
    assert (done.returncode, done.stdout.splitlines()) == (
        0, ["2 added, 0 left out", "in the cart: 2 objects, 3 files, 16 B"],
    )  # fmt: skip
    done = await cart("add", "wall", "winter", "00000000-0000-7000-8000-000000000001")
    assert (done.returncode, done.stdout.splitlines()) == (
        1,
        [
            "1 added, 2 left out",
            "left out: 00000000-0000-7000-8000-000000000001: nothing has this id or name",
            "left out: winter: there is one in prints and in scenes; write PRODUCT/NAME",
            "in the cart: 3 objects, 4 files, 17 B",
        ],
    )
    done = await cart("add", "--product", "prints", "--file", "-", "--json", stdin="winter\n\nwall\n")
    added = json.loads(done.stdout)
    assert (done.returncode, added["added"], added["unadded"], added["cart"]["objects"]) == (0, 2, [], 4)
    done = await cart("add", "--time", "2030-01-01/..")
    assert (done.returncode, done.stdout.splitlines()[:2]) == (
        1, ["0 added, 1 left out", "left out: search: nothing is found by this search"],
    )  # fmt: skip
    for wrong in ([], ["wall", "--time", "2030-01-01"], ["wall", "--product", "prints", "--product", "scenes"]):
        assert (await cart("add", *wrong)).returncode == 2


async def test_the_cart_is_listed_and_emptied_bit_by_bit(cart: Cart) -> None:
    await cart("add", "--product", "scenes", "--product", "prints")
    await cart("add", "scenes/winter")
    lines = [line.split() for line in (await cart("list")).stdout.splitlines()]
    assert lines[1] == ["prints", "Prints", "free", "0", "2", "2", "3", "B"]
    assert lines[2] == ["scenes", "Scenes", "2.50", "EUR", "0", "2", "3", "16", "B"]
    assert [line[:3] for line in lines[5:8]] == [
        ["1", "product", "scenes"],
        ["2", "product", "prints"],
        ["3", "names", lines[7][2]],
    ]
    assert " ".join(lines[-1]) == "4 objects, 5 files, 19 B, 1 in several selections, counted once"
    assert (
        await cart("remove", "2")
    ).stdout == "in the cart: 2 objects, 3 files, 16 B, 1 in several selections, counted once\n"
    gone = await cart("remove", "2")
    assert (gone.returncode, "404" in gone.stderr) == (1, True)
    assert (await cart("remove")).returncode == 2
    assert (await cart("clear")).returncode == 2
    assert json.loads((await cart("remove", "--product", "scenes", "--json")).stdout)["items"] == []
    await cart("add", "wall")
    assert (await cart("clear", "--yes")).stdout.startswith("The cart is empty.")


async def test_the_order_is_what_was_shown(cart: Cart) -> None:
    empty = await cart("order", "--yes")
    assert (empty.returncode, empty.stderr.startswith("consignor: The cart is empty.")) == (1, True)
    await cart("add", "--product", "scenes")
    shown = await cart("estimate")
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "2 objects  3 files  16 B  5.00 EUR")
    unasked = await cart("order")
    assert (unasked.returncode, unasked.stdout) == (2, shown.stdout)
    assert "nobody to ask: give --yes" in unasked.stderr
    asked = await cart("order", "--json")
    assert (asked.stdout, asked.stderr.splitlines()[0]) == ("", "2 objects, 3 files, 16 B: 5.00 EUR")
    refused = await cart("estimate", "--coupon", "NOSUCH", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["faults"][0]["field"]) == (1, "coupon")
    assert "coupon: " in (await cart("order", "--yes", "--coupon", "NOSUCH")).stderr
    done = await cart("order", "--yes", "--label", "By shell", "--on-missing", "refuse", "--json")
    order = json.loads(done.stdout)
    assert (order["label"], order["total_price"], order["on_missing"]) == ("By shell", "5.00", "refuse")
    assert json.loads((await cart("list", "--json")).stdout)["objects"] == 0


class OtherDevice(httpx2.BaseTransport):
    """The network, and somebody who fills the same cart while its plan is being looked at."""

    def __init__(self) -> None:
        self._network = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/cart:estimate"):
            url = request.url.copy_with(path=request.url.path.replace(":estimate", "/selections"))
            body = {"names": ["wall"]}
            also = httpx2.Request("POST", url, json=body, headers={"Authorization": request.headers["Authorization"]})
            assert self._network.handle_request(also).read()
        return self._network.handle_request(request)

    def close(self) -> None:
        self._network.close()


async def test_a_cart_that_was_changed_meanwhile_is_not_ordered(cart: Cart, where: dict[str, str]) -> None:
    await cart("add", "--product", "scenes")
    token = Credential.fixed(where["CONSIGNOR_TOKEN"])
    url, network = where["CONSIGNOR_PUBLIC_URL"], OtherDevice()
    with Api(url, token, transport=network) as api, pytest.raises(CommandFailed) as failed:
        await asyncio.to_thread(place_cart, api, {}, ask=False, quiet=True)
    assert str(failed.value).splitlines() == [
        "409 cart_changed",
        "  selections/2: selection 2 has come to it",
        "  prints: 1 object with 1 file and 1 byte of prints have come to it",
        "nothing was ordered; look at the cart with `consignor cart list`, and give the command again",
    ]
    assert json.loads((await cart("list", "--json")).stdout)["objects"] == 3


def test_a_cart_is_a_line_for_each_product_and_selection_in_eighty_columns() -> None:
    counts = {"objects": 1_000_000, "files": 12_345_678, "bytes": 10**13}
    price = {"orderable": True, "unit_price": "1234.50", "currency": "EUR", "gone": 12_345}
    product = {"product": "sentinel-2-level-2a-collection-1", "name": "N" * 60, **price, **counts}
    lost = product | {"orderable": False, "unit_price": None, "currency": None}
    heading, *lines = drawn(cart_products([product, lost]))
    assert [line.split()[-4:] for line in lines] == [["1,000,000", "12,345,678", "10.0", "TB"]] * 2
    assert "not to be had" in lines[1]
    assert "gone" in heading
    search = {"product": ["sentinel-2-level-2a-collection-1"], "bbox": [2.0, 43.0, 3.0, 44.0], "datetime": "2024"}
    selection = {"number": 200, "kind": "search", "request": search, "made_at": "2026-11-29T00:00:00Z", **counts}
    heading, line = drawn(cart_selections([selection]))
    assert line.split()[:2] == ["200", "search"]
    assert "made" in heading
