"""What exactly is in the cart, object by object and page by page."""

from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from models.queries.cart_listing import MANY
from tests.api.conftest import MakeProduct
from tests.api.test_cart import SCENES, add
from tests.factories import Sessions

PRINTS = {"wall": {"a": b"a", "b": b"bb"}, "winter": {"a": b"abc"}}


async def listed(client: AsyncClient, limit: int) -> list[Any]:
    """What is in the cart, in pages of so many."""
    found: list[Any] = []
    cursor = None
    while True:
        params = {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
        page = (await client.get("/cart/objects", params=params)).raise_for_status().json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return found
        assert len(page["items"]) == limit


@pytest.mark.parametrize("held", [0, MANY], ids=["few", "many"])
async def test_each_object_is_listed_once_with_what_of_it_is_in_the_cart(
    client: AsyncClient,
    make_product: MakeProduct,
    sessions: Sessions,
    held: int,
) -> None:
    await make_product(files=SCENES)
    await make_product("prints", files=PRINTS)
    await make_product("closed", files={"hidden": {"a": b"a"}})
    async with sessions.begin() as session:
        file = await session.scalar(sa.text("SELECT id::text FROM catalogue_files WHERE name = 'b'"))
    assert await listed(client, 10) == []
    await add(client, product="scenes")
    await add(client, product="closed")
    await add(client, names=["scenes/winter", "prints/winter"])
    await add(client, objects=[file])
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE products SET access_groups = '{partners}' WHERE sku = 'closed'"))
        summer = "(SELECT id FROM catalogue_objects WHERE name = 'summer')"
        await session.execute(sa.text(f"DELETE FROM catalogue_files WHERE object_id = {summer}"))
        await session.execute(sa.text("DELETE FROM catalogue_objects WHERE name = 'summer'"))
    cart = (await client.get("/cart")).json()
    async with sessions.begin() as session:
        # How the list is read depends on how much is held; what it lists does not.
        await session.execute(sa.text("UPDATE cart_products SET gone = gone + :held"), {"held": held})
    whole = await listed(client, 10)
    assert [(one["product"], one["name"], one["files"], one["bytes"], one["selections"]) for one in whole] == [
        ("prints", "wall", 1, 2, [4]),
        ("prints", "winter", 1, 3, [3]),
        ("scenes", "spring", 1, 5, [1]),
        ("scenes", "winter", 2, 11, [1, 3]),
    ]
    totals = [len(whole), sum(one["files"] for one in whole), sum(one["bytes"] for one in whole)]
    assert totals == [cart[name] for name in ("objects", "files", "bytes")]
    for limit in 1, 2, 3:
        assert await listed(client, limit) == whole
