"""An old order put into the cart: what can still be had of it, and why the rest cannot."""

from pathlib import Path

import sqlalchemy as sa
from httpx2 import AsyncClient

from tests.api.conftest import MakeProduct
from tests.factories import Sessions
from tests.issuer import as_


async def test_what_can_still_be_had_of_an_order_goes_into_the_cart_and_the_rest_is_told(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product()
    order = (await client.post("/orders", json={"items": [{"product": "scenes"}]})).json()
    async with sessions.begin() as session:
        await session.execute(sa.text("DELETE FROM catalogue_files WHERE object_id IN"
                                      " (SELECT id FROM catalogue_objects WHERE name = 'spring')"))  # fmt: skip
        await session.execute(sa.text("DELETE FROM catalogue_objects WHERE name = 'spring'"))
    (tmp_path / "scenes" / "summer" / "b1.tif").unlink()
    answer = await client.post(f"/orders/{order['id']}/add-to-cart")
    added = answer.json()
    assert (answer.status_code, added["added"], added["cart"]["objects"]) == (201, 1, 1)
    told = {(one["key"], one["code"]) for one in added["unadded"]}
    assert told == {("scenes/spring", "unknown"), ("scenes/summer/b1.tif", "nothing_orderable")}
    assert added["unadded_total"] == 2
    (selection,) = added["cart"]["selections"]
    assert (selection["kind"], selection["request"]) == ("order", {"order": order["number"]})
    (tmp_path / "scenes" / "winter" / "b1.tif").unlink()
    refused = await client.post(f"/orders/{order['id']}/add-to-cart")
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing_added")
    assert {fault["code"] for fault in refused.json()["faults"]} == {"unknown_id", "source_missing"}
    assert (await client.get("/cart")).json()["objects"] == 1
    assert (await client.post(f"/orders/{order['id']}/add-to-cart", headers=as_("other"))).status_code == 404
