"""Empty folders of an order: in its archive and in a list of their own, and in no list of files."""

import zipfile
from io import BytesIO

from httpx2 import AsyncClient

from tests.api.conftest import MakeProduct
from tests.factories import Sessions, add_order, make_ready
from tests.services.catalogue_sources import rows


async def test_empty_folders_are_delivered_and_listed_and_are_no_files(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product(files={"S1.SAFE": {"manifest.safe": b"<x/>", ".hidden": b"h"}})
    folders = "UPDATE catalogue_objects SET empty_folders = '{rep_info/, annotation/x/}' RETURNING id"
    await rows(sessions, folders)
    order = await add_order(sessions, {"scenes": "all"})
    path = f"/orders/{order.id}"
    assert (await client.get(f"{path}/folders")).json() == {"items": [], "next_cursor": None}
    await make_ready(sessions, order)

    archive = await client.get(f"{path}/suborders/1/archive")
    names = zipfile.ZipFile(BytesIO(archive.content)).namelist()
    files, empty = ["S1.SAFE/.hidden", "S1.SAFE/manifest.safe"], ["S1.SAFE/annotation/x/", "S1.SAFE/rep_info/"]
    assert sorted(names[:2]) == files
    assert names[2:] == [*empty, "manifest.json", "SHA256SUMS"]

    page = (await client.get(f"{path}/folders?limit=1")).json()
    assert page["items"] == [{"suborder": 1, "object": "S1.SAFE", "path": empty[0]}]
    page = (await client.get(f"{path}/folders?limit=1&cursor={page['next_cursor']}")).json()
    assert (page["items"][0]["path"], page["next_cursor"]) == (empty[1], None)

    found = (await client.get(f"{path}/files")).json()["items"]
    assert sorted(file["path"] for file in found) == files
    metalink = (await client.get(f"{path}/metalink")).text
    assert metalink.count("<file ") == 2
    assert "rep_info" not in metalink


async def test_empty_folders_of_archives_that_would_mix_are_kept_apart_by_their_numbers(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    for sku in ("one", "two"):
        await make_product(sku, {"same": {"x": sku.encode()}})
    await rows(sessions, "UPDATE catalogue_objects SET empty_folders = '{e/}' RETURNING id")
    order = await add_order(sessions, {"one": "all", "two": "all"})
    await make_ready(sessions, order)
    found = (await client.get(f"/orders/{order.id}/folders")).json()["items"]
    assert [item["path"] for item in found] == [f"{order.number}_{part}/same/e/" for part in (1, 2)]
