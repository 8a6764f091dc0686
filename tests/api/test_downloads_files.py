"""Single files, signed links, Metalinks and acknowledging, through the facade."""

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from httpx2 import AsyncClient
from temporalio.testing import ActivityEnvironment

from activities.planning import PlanningActivities
from activities.releasing import ReleasingActivities
from activities.staging import StagingActivities
from api.dependencies import Services
from models.links import LinkKeys, archive_path, file_path, metalink_path
from models.messages import OrderRef, Reopening, SubOrderInput
from models.tables import Order
from tests.api.conftest import LINK_KEY, PUBLIC_URL, SCENES, MakeProduct, MakeReady
from tests.factories import LOCAL_CALLER, Sessions, add_order, make_ready
from tests.services.catalogue_sources import rows

CONTENT = {f"{obj}/{name}": content for obj, files in SCENES.items() for name, content in files.items()}


async def files_of(client: AsyncClient, order: Order) -> dict[str, dict[str, object]]:
    return {file["path"]: file for file in (await client.get(f"/orders/{order.id}/files")).json()["items"]}


async def test_a_file_is_itself_whole_in_parts_and_proven(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    for path, file in (await files_of(client, order)).items():
        for key in (file["seq"], file["id"]):
            url = f"/orders/{order.id}/files/{key}/content"
            same = {"X-Request-ID": "same"}
            answer = await client.get(url, headers=same)
            proof = b64encode(sha256(CONTENT[path]).digest()).decode()
            assert (answer.status_code, answer.content) == (200, CONTENT[path])
            assert answer.headers["repr-digest"] == f"sha-256=:{proof}:"
            assert answer.headers["digest"] == f"SHA-256={proof}"
            assert answer.headers["link"] == (
                f"<{PUBLIC_URL}/api/v1/orders/{order.id}/metalink/{order.number}.meta4>; rel=describedby;"
                ' type="application/metalink4+xml"'
            )
            assert dict((await client.head(url, headers=same)).headers) == dict(answer.headers)
            if CONTENT[path]:
                part = await client.get(url, headers={"Range": "bytes=1-3", "If-Range": answer.headers["etag"]})
                assert (part.status_code, part.content) == (206, CONTENT[path][1:4])


async def test_no_date_and_no_position_is_an_error_of_ours(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    huge = f"Fri, 31 Dec {'9' * 30} 23:59:59 GMT"
    for url in (f"/orders/{order.id}/suborders/1/archive", f"/orders/{order.id}/files/1/content"):
        size = int((await client.head(url)).headers["content-length"])
        for name in ("If-Modified-Since", "If-Unmodified-Since"):
            assert (await client.get(url, headers={name: huge})).status_code == 200
        beyond = await client.get(url, headers={"Range": f"bytes={'9' * 5000}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
        cut = await client.get(url, headers={"Range": f"bytes=1-{'9' * 19}"})
        assert (cut.status_code, cut.headers["content-range"]) == (206, f"bytes 1-{size - 1}/{size}")
        # Of several lines of one field a list is made, whose elements all count; a range is no list.
        twice = [("Range", "bytes=0-1")] * 2
        known = [("If-None-Match", '"x"'), ("If-None-Match", f"W/{cut.headers['etag']}")]
        assert (await client.get(url, headers=[*twice, *known])).status_code == 304
        assert (await client.get(url, headers=twice)).status_code == 200
    assert (await client.get(f"/orders/{order.id}", headers={"If-Modified-Since": huge})).status_code == 200


async def test_several_ranges_come_as_parts_of_one_answer(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    seq = (await files_of(client, order))["spring/b1.tif"]["seq"]
    answer = await client.get(f"/orders/{order.id}/files/{seq}/content", headers={"Range": "bytes=0-4,100-109,-2"})
    kind, boundary = answer.headers["content-type"].split("; boundary=")
    assert (answer.status_code, kind) == (206, "multipart/byteranges")
    assert answer.headers["content-length"] == str(len(answer.content))
    content = CONTENT["spring/b1.tif"]
    size = len(content)
    heads = [f"bytes {span}/{size}" for span in ("0-4", "100-109", f"{size - 2}-{size - 1}")]
    _, *parts, end = answer.content.split(f"\r\n--{boundary}".encode())
    assert end == b"--\r\n"
    for part, head, expected in zip(parts, heads, (content[:5], content[100:110], content[-2:]), strict=True):
        told, data = part.split(b"\r\n\r\n", 1)
        assert (f"Content-Range: {head}".encode() in told, data) == (True, expected)


async def test_a_sub_order_is_downloaded_once_with_the_last_of_its_files(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    files = await files_of(client, order)
    for count, file in enumerate(files.values(), 1):
        url = f"/orders/{order.id}/files/{file['seq']}/content"
        assert (await client.head(url)).status_code == 200
        for _ in range(2):
            await client.get(url)
        (part,) = (await client.get(f"/orders/{order.id}/suborders")).json()["items"]
        assert part["state"] == ("downloaded" if count == len(files) else "ready")
    assert {file["state"] for file in (await files_of(client, order)).values()} == {"downloaded"}
    # Temporal is away; the reconciler will tell, and only once.
    assert await rows(sessions, "SELECT what, suborder, actor FROM notices") == [
        ("suborder_downloaded", 1, LOCAL_CALLER.actor)
    ]


async def test_a_customer_acknowledges_once_what_has_arrived(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    for _ in range(2):
        answer = await client.post(f"/orders/{order.id}/suborders/1/acknowledge")
        assert (answer.status_code, answer.json()["state"]) == (200, "downloaded")
    assert await rows(sessions, "SELECT what, reason_code FROM notices") == [("suborder_downloaded", "acknowledged")]
    assert (await client.post(f"/orders/{order.id}/suborders/2/acknowledge")).status_code in {404, 503}


async def test_what_is_not_there_says_whether_to_wait(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    for path in ("files/1/content", "metalink", ".metalink", "links"):
        answer = await client.get(f"/orders/{order.id}/{path}")
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    await ActivityEnvironment().run(PlanningActivities(sessions).plan_suborders, OrderRef(order_id=order.id))
    assert (await client.get(f"/orders/{order.id}/files/1/content")).status_code == 503
    assert (await client.get(f"/orders/{order.id}/metalink")).status_code == 200
    (tmp_path / "scenes" / "spring" / "b1.tif").unlink()
    await make_ready(sessions, order)
    seq = (await files_of(client, order))["spring/b1.tif"]["seq"]
    answer = await client.get(f"/orders/{order.id}/files/{seq}/content")
    assert (answer.status_code, answer.json()["code"]) == (410, "source_missing")
    assert (await client.get(f"/orders/{order.id}/files/0/content")).status_code in {404, 503}


async def test_a_source_that_changed_fails_the_file_and_a_retry_makes_the_archive_anew(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady, tmp_path: Path
) -> None:
    order = await make_ready_order()
    for name in ("spring/b1.tif", "winter/b1.tif"):
        (tmp_path / "scenes" / name).write_bytes(b"another")
    archive = f"/orders/{order.id}/suborders/1/archive"
    first = await client.get(archive)
    assert (first.status_code, first.json()["code"]) == (410, "source_changed")
    assert (await client.get(archive)).json()["code"] == "gone"
    files = await files_of(client, order)
    lost = {path for path, file in files.items() if file["state"] == "failed"}
    assert lost == {"spring/b1.tif", "winter/b1.tif"}, "the others are looked at too"
    kept = await client.get(f"/orders/{order.id}/files/{files['summer/b1.tif']['seq']}/content")
    assert kept.content == b"summer one"
    assert await rows(sessions, "SELECT what, details->>'failed' FROM notices") == [("files_lost", "2")]
    counts = "SELECT files_available, files_failed FROM "
    assert await rows(sessions, counts + "orders") == await rows(sessions, counts + "suborders") == [(3, 2)]
    run = ActivityEnvironment().run
    assert await run(ReleasingActivities(sessions).reopen_files, Reopening(order_id=order.id, seqs=())) == 2
    for name in lost:
        (tmp_path / "scenes" / name).write_bytes(CONTENT[name])
    await make_ready(sessions, order)
    answer = await client.get(archive)
    assert answer.status_code == 200
    assert CONTENT["spring/b1.tif"] in answer.content


def linked(path: str, keys: LinkKeys | None = None) -> str:
    return f"/links/{(keys or LinkKeys([LINK_KEY])).sign(path)}/{path}"


async def test_a_link_opens_one_thing_and_nothing_else(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    paths = [
        archive_path(order.id, 1),
        file_path(order.id, 1),
        metalink_path(order.id),
        metalink_path(order.id, version=3),
    ]
    for path in paths:
        good = linked(path)
        assert (await client.get(good)).status_code == 200
        for other in {*paths, file_path(order.id, 2)} - {path}:
            wrong = await client.get(f"{good.split('/orders')[0]}/{other}")
            assert (wrong.status_code, wrong.json()["code"]) == (403, "link_refused")
        _, _, link, *_ = good.split("/")
        for bad in (link[:-1] + ("A" if link[-1] != "A" else "B"), link.split(".")[0] + ".", "x" + link, "é.é"):
            assert (await client.get(good.replace(link, bad))).status_code == 403, bad
        assert (await client.get(linked(path, LinkKeys(["n" * 40])))).status_code == 403


async def test_links_end_with_their_order(client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE orders SET expires_at = now() - interval '1 second'"))
    for path in (archive_path(order.id, 1), file_path(order.id, 1), metalink_path(order.id)):
        answer = await client.get(linked(path))
        assert (answer.status_code, answer.json()["code"]) == (410, "gone")


async def test_an_old_key_opens_while_a_new_one_signs() -> None:
    old, both = LinkKeys(["o" * 32]), LinkKeys(["n" * 32, "o" * 32])
    assert both.opens(old.sign("p"), "p")
    assert both.sign("p") != old.sign("p")
    assert not old.opens(both.sign("p"), "p")
    assert not LinkKeys().opens(both.sign("p"), "p")
    with pytest.raises(ValueError, match="fewer than 32"):
        LinkKeys(["short"])


async def test_every_listed_link_opens_what_it_names(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    page = (await client.get(f"/orders/{order.id}/links?limit=2")).json()
    found = page["files"]
    while page["next_cursor"]:
        page = (await client.get(f"/orders/{order.id}/links?limit=2&cursor={page['next_cursor']}")).json()
        found += page["files"]
    assert {file["path"]: (await client.get(file["url"])).content for file in found} == CONTENT
    assert all(file["sha256"] == sha256(CONTENT[file["path"]]).hexdigest() for file in found)
    (part,) = page["archives"]
    assert int((await client.head(part["url"])).headers["content-length"]) == part["size"]
    for url in (page["metalink"], page["metalink3"]):
        assert (await client.get(url)).status_code == 200


@pytest.mark.parametrize(
    ("path", "kind", "space", "hash_type"),
    [
        ("metalink", "application/metalink4+xml", "{urn:ietf:params:xml:ns:metalink}", "sha-256"),
        (".metalink", "application/metalink+xml", "{http://www.metalinker.org/}", "sha256"),
    ],
)
async def test_a_metalink_has_every_file_with_its_size_its_hash_and_a_url(
    client: AsyncClient, make_ready_order: MakeReady, path: str, kind: str, space: str, hash_type: str
) -> None:
    files = {**SCENES, "a & b": {"c's (1).tif": b"odd"}}
    order = await make_ready_order(files)
    answer = await client.get(f"/orders/{order.id}/{path}")
    assert answer.headers["content-type"] == kind
    found = {}
    for file in ET.parse(BytesIO(answer.content)).getroot().iter(f"{space}file"):
        (size,), (proof,), (url,) = (list(file.iter(space + tag)) for tag in ("size", "hash", "url"))
        assert (url.text or "").startswith(f"{PUBLIC_URL}/api/v1/links/")
        content = (await client.get(url.text or "")).content
        assert (proof.get("type"), proof.text, size.text) == (hash_type, sha256(content).hexdigest(), str(len(content)))
        found[file.get("name")] = content
    assert found == {f"{obj}/{name}": content for obj, names in files.items() for name, content in names.items()}


async def test_a_metalink_beyond_its_cap_goes_on_in_parts(
    app: FastAPI, services: Services, client: AsyncClient, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    app.state.services = replace(services, files_per_metalink=2)
    names = []
    url: str | None = f"/orders/{order.id}/metalink"
    while url:
        answer = await client.get(url)
        names += [file.get("name") for file in ET.fromstring(answer.content) if file.tag.endswith("file")]
        url = answer.links.get("next", {}).get("url")
    assert sorted(str(name) for name in names) == sorted(CONTENT)
    assert (await client.get(f"/orders/{order.id}/metalink?part=4")).status_code == 404


async def test_folders_of_two_archives_that_would_mix_stay_apart(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    for sku in ("one", "two"):
        await make_product(sku, {"scene": {"f": sku.encode()}, sku: {"f": b"x"}})
    order = await add_order(sessions, {"one": "all", "two": "all"})
    await make_ready(sessions, order)
    files = (await client.get(f"/orders/{order.id}/links")).json()["files"]
    assert sorted(file["path"] for file in files) == sorted(
        ["one/f", "two/f", f"{order.number}_1/scene/f", f"{order.number}_2/scene/f"]
    )


async def test_staging_gives_a_file_to_those_who_wait_for_it(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    run = ActivityEnvironment().run
    await run(PlanningActivities(sessions).plan_suborders, OrderRef(order_id=order.id))
    await run(StagingActivities(sessions).stage_files, SubOrderInput(order_id=order.id, number=1))
    url = linked(file_path(order.id, 1))
    assert (await client.get(url)).status_code == 503, "its sub-order is not ready"
    await make_ready(sessions, order)
    assert (await client.get(url)).status_code == 200
