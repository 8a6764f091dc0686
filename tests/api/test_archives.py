"""Downloading archives: whole and in parts, byte for byte what was sealed, or not at all."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from sqlmodel import col
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from activities.planning import PlanningActivities
from api.dependencies import Services
from models.errors import Failed
from models.messages import OrderRef
from models.splitting import Limits
from models.suborder import SubOrderState
from models.tables import Order, SubOrder
from tests.api.conftest import SCENES, MakeProduct, MakeReady
from tests.factories import Sessions, add_order, make_ready

BIG = {"big": {"a.bin": bytes(range(256)) * 8192, "b.bin": b"the end" * 9}}
"""More than a block before the second file."""


def archive(order: Order, number: int = 1) -> str:
    return f"/orders/{order.id}/suborders/{number}/archive"


def content_of(answer: Response) -> dict[str, bytes]:
    """What Python's own reader finds in a downloaded archive."""
    with ZipFile(BytesIO(answer.content)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


async def set_status(sessions: Sessions, order: Order, status: str) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).where(col(Order.id) == order.id).values(status=status))


async def set_state(sessions: Sessions, order: Order, state: SubOrderState) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(SubOrder).where(col(SubOrder.order_id) == order.id).values(state=state))


async def test_an_archive_is_called_the_same_wherever_it_is_told_of(
    app: FastAPI, client: AsyncClient, make_ready_order: MakeReady
) -> None:
    services = app.state.services
    app.state.services = replace(
        services, delivery_targets=replace(services.delivery_targets, filename="part-{suborder}-of-{number}.zip")
    )
    order = await make_ready_order()
    answer = await client.head(archive(order))
    assert answer.headers["content-disposition"] == f'attachment; filename="part-1-of-{order.number}.zip"'
    (link,) = (await client.get(f"/orders/{order.id}/links")).json()["archives"]
    assert link["filename"] == f"part-1-of-{order.number}.zip"
    app.state.services = services


async def test_a_whole_archive_holds_every_file_as_it_is_on_the_disk(
    client: AsyncClient, make_ready_order: MakeReady
) -> None:
    answer = await client.get(archive(await make_ready_order()))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    found = content_of(answer)
    assert set(found) - {f"{obj}/{name}" for obj, files in SCENES.items() for name in files} == {
        "manifest.json",
        "SHA256SUMS",
    }
    assert {f"{obj}/{name}": content for obj, files in SCENES.items() for name, content in files.items()} == {
        name: content for name, content in found.items() if "/" in name
    }


async def test_a_file_that_is_missing_is_told_of_and_the_others_are_there(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    (tmp_path / "scenes" / "spring" / "b1.tif").unlink()
    await make_ready(sessions, order)
    found = content_of(await client.get(archive(order)))
    assert "spring/b1.tif" not in found
    assert "spring/b1.tif" in found["NOTICE.txt"].decode()
    (failed,) = (f for f in (await client.get(f"/orders/{order.id}/files")).json()["items"] if f["failure"])
    assert (failed["path"], failed["state"]) == ("spring/b1.tif", "failed")
    assert (failed["failure"]["code"], failed["failure"]["category"]) == ("source_missing", "configuration")


async def test_an_order_of_several_suborders_is_downloaded_one_by_one(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    assert len(await make_ready(sessions, order, Limits(max_files=2))) == 3
    names = [name for n in (1, 2, 3) for name in content_of(await client.get(archive(order, n))) if "/" in name]
    assert sorted(names) == sorted(f"{obj}/{name}" for obj, files in SCENES.items() for name in files)


async def test_head_tells_what_get_would(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    same = {"X-Request-ID": "same"}
    head, get = await client.head(archive(order), headers=same), await client.get(archive(order), headers=same)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers)
    # RFC 9110, section 14.2: a range means something to a GET only.
    ranged = await client.head(archive(order), headers=same | {"Range": "bytes=1-2"})
    assert dict(ranged.headers) == dict(get.headers)


async def test_every_range_is_a_cut_of_the_whole(client: AsyncClient, make_ready_order: MakeReady) -> None:
    url = archive(await make_ready_order())
    whole = (await client.get(url)).content
    size = len(whole)
    ranges: Mapping[str, tuple[int, int]] = {
        "0-0": (0, 1),
        "0-": (0, size),
        f"0-{size * 2}": (0, size),
        "31-49": (31, 50),
        "100-20000": (100, 20_001),
        f"{size - 1}-": (size - 1, size),
        "-1": (size - 1, size),
        "-500": (size - 500, size),
        f"-{size * 2}": (0, size),
    }
    for asked, (start, stop) in ranges.items():
        answer = await client.get(url, headers={"Range": f"bytes={asked}"})
        assert answer.status_code == 206, asked
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert answer.headers["content-length"] == str(stop - start)
        assert answer.content == whole[start:stop], asked


async def test_a_download_in_pieces_is_the_whole(client: AsyncClient, make_ready_order: MakeReady) -> None:
    url = archive(await make_ready_order())
    first = await client.get(url)
    pieces = []
    for start in range(0, len(first.content), 4099):
        headers = {"Range": f"bytes={start}-{start + 4098}", "If-Range": first.headers["etag"]}
        pieces.append((await client.get(url, headers=headers)).content)
    assert b"".join(pieces) == first.content


@pytest.mark.parametrize("asked", ["bytes=5-3", "bytes=0-9,5-6", "bytes=", "bytes=-", "pages=1-2", "bytes=a-b", "0-1"])
async def test_a_range_we_do_not_know_gives_the_whole(
    client: AsyncClient, make_ready_order: MakeReady, asked: str
) -> None:
    url = archive(await make_ready_order())
    answer = await client.get(url, headers={"Range": asked})
    assert answer.status_code == 200
    assert content_of(answer)


@pytest.mark.parametrize("condition", ['"another"', "W/{etag}", "Tue, 03 Mar 2026 05:06:07 GMT", ""])
async def test_a_range_of_another_version_gives_the_whole(
    client: AsyncClient, make_ready_order: MakeReady, condition: str
) -> None:
    url = archive(await make_ready_order())
    etag = (await client.head(url)).headers["etag"]
    headers = {"Range": "bytes=5-9", "If-Range": condition.format(etag=etag)}
    answer = await client.get(url, headers=headers)
    assert (answer.status_code, "content-range" in answer.headers) == (200, False)


@pytest.mark.parametrize("asked", ["{size}-", "{size}-{size}", "-0", "999999999999999-"])
async def test_a_range_behind_the_end_is_refused_with_the_length(
    client: AsyncClient, make_ready_order: MakeReady, asked: str
) -> None:
    url = archive(await make_ready_order())
    size = (await client.head(url)).headers["content-length"]
    answer = await client.get(url, headers={"Range": f"bytes={asked.format(size=size)}"})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{size}"


async def test_who_has_the_archive_is_not_sent_it_again(client: AsyncClient, make_ready_order: MakeReady) -> None:
    url = archive(await make_ready_order())
    etag = (await client.head(url)).headers["etag"]
    for named in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        for method in ("GET", "HEAD"):
            answer = await client.request(method, url, headers={"If-None-Match": named, "Range": "bytes=0-1"})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert (await client.get(url, headers={"If-None-Match": '"x"'})).status_code == 200


async def test_before_it_is_there_an_archive_is_not_ready(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    assert (await client.get(archive(order))).status_code == 503
    await ActivityEnvironment().run(PlanningActivities(sessions).plan_suborders, OrderRef(order_id=order.id))
    for method in ("GET", "HEAD"):
        answer = await client.request(method, archive(order))
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    assert (await client.get(archive(order))).json()["code"] == "not_ready"
    await set_status(sessions, order, "provisioning")
    assert (await client.get(archive(order, 2))).status_code == 404


@pytest.mark.parametrize("state", SubOrderState)
async def test_the_state_of_a_suborder_decides_what_is_answered(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady, state: SubOrderState
) -> None:
    order = await make_ready_order()
    await set_state(sessions, order, state)
    expected = {"ready": 200, "downloaded": 200, "failed": 410, "cancelled": 410, "expired": 410}.get(state, 503)
    assert (await client.get(archive(order))).status_code == expected
    (shown,) = (await client.get(f"/orders/{order.id}/suborders")).json()["items"]
    assert (shown["archive_url"] is not None) == (expected == 200)


@pytest.mark.parametrize("harm", ["unlink", "grow", "touch", "directory"])
async def test_a_source_that_changed_is_told_before_the_first_byte(
    client: AsyncClient, make_ready_order: MakeReady, tmp_path: Path, harm: str
) -> None:
    order = await make_ready_order()
    path = tmp_path / "scenes" / "spring" / "b1.tif"
    if harm == "grow":
        path.write_bytes(path.read_bytes() + b"!")
    elif harm == "touch":
        os.utime(path, ns=(0, 0))
    else:
        path.unlink()
        if harm == "directory":
            path.mkdir()
    answer = await client.get(archive(order))
    assert (answer.status_code, answer.headers["content-type"]) == (410, "application/problem+json")
    assert "retry-after" not in answer.headers, "nobody may wait for what never comes back"
    assert "spring/b1.tif" in answer.json()["detail"]
    assert str(tmp_path) not in answer.text


async def test_a_source_that_changed_behind_the_first_block_cuts_the_download(
    client: AsyncClient, services: Services, make_ready_order: MakeReady, tmp_path: Path
) -> None:
    order = await make_ready_order(BIG)
    whole = (await client.get(archive(order))).content
    assert b"consignor_downloads_cut_total 0.0" in services.operations.metrics.text()
    (tmp_path / "scenes" / "big" / "b.bin").write_bytes(b"another" * 9)
    # An application that raises after it has begun to answer is how a server learns to cut the connection.
    with capture_logs() as logs, pytest.raises(RuntimeError) as cut:
        await client.get(archive(order))
    assert isinstance(cut.value.__cause__, Failed)
    (told,) = (log for log in logs if log["event"] == "download cut")
    assert (told["order"], told["failure"]) == (str(order.id), "big/b.bin has changed: it was written to")
    assert b"consignor_downloads_cut_total 1.0" in services.operations.metrics.text()
    # What lies before the change is still what it was.
    resumed = await client.get(archive(order), headers={"Range": "bytes=0-99999"})
    assert resumed.content == whole[:100_000]


LABELS = ['a"; filename="evil.exe', "../../etc/passwd", "zażółć 🐎", "%00%0d%0a", "CON", "..", "；＂＼", "x" * 50]


@pytest.mark.parametrize("label", LABELS)
async def test_a_label_however_hostile_gives_a_harmless_filename(
    client: AsyncClient, make_ready_order: MakeReady, label: str
) -> None:
    order = await make_ready_order({"o": {"f": b"x"}}, label=label)
    header = (await client.head(archive(order))).headers["content-disposition"]
    assert re.fullmatch(rf'attachment; filename="{order.number}_([A-Za-z0-9.-]+_)?1\.zip"', header)
