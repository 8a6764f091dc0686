"""Planning: every file once, in sub-orders that never mix or split what belongs together, and only one plan."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from activities.planning import PlanningActivities
from models.errors import Failed
from models.messages import OrderRef
from models.splitting import Limits
from models.tables import Order
from tests.activities.builders import Sessions, everything, files_in, placed, run
from tests.factories import a_shop, add_order, add_product
from tests.services.catalogue_sources import rows

SMALL = Limits(max_files=3, max_bytes=10_000)
SUBORDERS = (
    "SELECT number, sku, tier, state, objects_total, files_total, bytes_total, attempt FROM suborders ORDER BY number"
)


@pytest.fixture
async def order(sessions: Sessions, tmp_path: Path) -> Order:
    """Two products: one of five objects with two files each, one of a single big file."""
    await add_product(sessions, tmp_path / "m", "maps", {"m": {"big.pdf": b"m" * 20_000}})
    scenes = {f"s{n}": {"image.tif": b"i" * n, "meta.xml": b"x"} for n in range(1, 6)}
    await add_product(sessions, tmp_path / "s", "scenes", scenes)
    return await add_order(sessions, {"maps": "all", "scenes": "all"})


async def plan(sessions: Sessions, order: Order, limits: Limits = SMALL) -> int:
    return await run(PlanningActivities(sessions, a_shop(limits)).plan_suborders, OrderRef(order_id=order.id))


async def test_every_file_is_written_once_with_sequences_without_gaps(sessions: Sessions, order: Order) -> None:
    await plan(sessions, order)
    assert await files_in(sessions, "seq") == list(range(1, 12))
    there = await rows(sessions, "SELECT id FROM catalogue_files ORDER BY id")
    assert sorted(await files_in(sessions, "file_id")) == there
    totals = "SELECT objects_total, files_total, bytes_total FROM orders"
    assert await rows(sessions, totals) == [(6, 11, 20_020)]


async def test_what_goes_while_it_is_planned_fails_an_order_that_wants_all_or_nothing(
    sessions: Sessions, order: Order
) -> None:
    await rows(sessions, "UPDATE orders SET on_missing = 'refuse' RETURNING id")
    before = await everything(sessions)
    await rows(sessions, "DELETE FROM catalogue_files WHERE name = 'big.pdf' RETURNING id")
    with pytest.raises(Failed, match="1 file went from the catalogue"):
        await plan(sessions, order)
    assert await everything(sessions) == before


async def test_a_file_is_written_as_the_catalogue_has_it(sessions: Sessions, order: Order) -> None:
    await plan(sessions, order)
    columns = "name, href, media_type, size_bytes, modified_ns, sha256"
    known = await rows(sessions, f"SELECT {columns} FROM catalogue_files ORDER BY id")
    written = await rows(sessions, f"SELECT {columns} FROM order_files ORDER BY file_id")
    assert written == known
    assert set(await files_in(sessions, "state, crc32, failure_code")) == {("pending", None, None)}


async def test_sub_orders_mix_no_products_split_no_object_and_come_smallest_first(
    sessions: Sessions, order: Order
) -> None:
    assert await plan(sessions, order) == 6
    small = [(n, "scenes", "online", "planned", 1, 2, n + 1, 0) for n in range(1, 6)]
    assert await rows(sessions, SUBORDERS) == [*small, (6, "maps", "online", "planned", 1, 1, 20_000, 0)]
    assert await files_in(sessions, "suborder") == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]


async def test_limits_that_hold_it_all_give_one_sub_order_for_each_product(sessions: Sessions, order: Order) -> None:
    assert await plan(sessions, order, Limits()) == 2
    assert [row[5] for row in await rows(sessions, SUBORDERS)] == [10, 1]


async def test_nearline_files_travel_apart(sessions: Sessions, tmp_path: Path) -> None:
    order = await placed(sessions, tmp_path, {"a": {"1": b"1"}, "b": {"2": b"2"}})
    on_tape = "UPDATE catalogue_files SET tier = 'nearline' WHERE name = '2' RETURNING id"
    assert len(await rows(sessions, on_tape)) == 1
    assert await plan(sessions, order) == 2
    assert sorted(await rows(sessions, "SELECT tier FROM suborders")) == ["nearline", "online"]


async def test_a_second_plan_changes_nothing(sessions: Sessions, order: Order) -> None:
    assert await plan(sessions, order) == 6
    once = await everything(sessions)
    assert await plan(sessions, order, Limits()) == 6
    assert await everything(sessions) == once


async def test_two_plans_at_once_give_one(sessions: Sessions, order: Order) -> None:
    counts = await asyncio.gather(*(plan(sessions, order, limits) for limits in (SMALL, Limits(), SMALL)))
    assert len(set(counts)) == 1
    assert await files_in(sessions, "seq") == list(range(1, 12))
    assert len(await rows(sessions, SUBORDERS)) == counts[0]


async def test_paths_are_clean_and_unique_also_without_case(sessions: Sessions, tmp_path: Path) -> None:
    files = {"scene:1": {"A.tif": b"1", "a.TIF": b"2", "what?.txt": b"3", "NUL.csv": b"4"}, "SHA256SUMS": {"x": b"5"}}
    order = await placed(sessions, tmp_path, files)
    await plan(sessions, order, Limits())
    assert await files_in(sessions, "object_name, name, path") == [
        ("SHA256SUMS", "x", "SHA256SUMS (1)/x"),
        ("scene:1", "A.tif", "scene_1/A.tif"),
        ("scene:1", "NUL.csv", "scene_1/_NUL.csv"),
        ("scene:1", "a.TIF", "scene_1/a (1).TIF"),
        ("scene:1", "what?.txt", "scene_1/what_.txt"),
    ]


async def test_one_file_of_an_object_can_be_ordered_alone(sessions: Sessions, order: Order) -> None:
    only = "UPDATE order_selections s SET file_id = f.id FROM catalogue_files f WHERE f.object_id = s.object_id"
    await rows(sessions, f"{only} AND f.name = 'image.tif' RETURNING f.id")
    assert await plan(sessions, order, Limits()) == 2
    assert await files_in(sessions, "name") == ["image.tif"] * 5 + ["big.pdf"]


async def test_empty_folders_of_whole_objects_travel_with_them_and_are_no_files(
    sessions: Sessions, tmp_path: Path
) -> None:
    order = await placed(sessions, tmp_path, {"S1.SAFE": {"measurement/x.tif": b"1"}, "other": {"y": b"2"}})
    await rows(sessions, "UPDATE catalogue_objects SET empty_folders = '{rep_info/, Measurement/, MEASUREMENT/}' "
        "WHERE name = 'S1.SAFE' RETURNING id")  # fmt: skip
    await plan(sessions, order, Limits(max_files=1))
    written = "SELECT seq, suborder, object_name, name, path FROM order_folders ORDER BY seq"
    assert await rows(sessions, written) == [
        (1, 1, "S1.SAFE", "Measurement/", "S1.SAFE/measurement/"),
        (2, 1, "S1.SAFE", "rep_info/", "S1.SAFE/rep_info/"),
    ]
    assert await rows(sessions, "SELECT files_total, bytes_total FROM orders") == [(2, 2)]


async def test_a_single_file_travels_without_the_empty_folders_of_its_object(
    sessions: Sessions, tmp_path: Path
) -> None:
    order = await placed(sessions, tmp_path, {"S1.SAFE": {"x.tif": b"1"}})
    await rows(sessions, "UPDATE catalogue_objects SET empty_folders = '{rep_info/}' RETURNING id")
    await rows(sessions, "UPDATE order_selections SET file_id = (SELECT id FROM catalogue_files) RETURNING seq")
    await plan(sessions, order)
    assert await rows(sessions, "SELECT seq FROM order_folders") == []


@pytest.fixture
async def with_license(sessions: Sessions, order: Order) -> Order:
    """The same order, of products one of which has got a file of its own since."""
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE catalogue_objects SET accompanies = true WHERE name = 's3'"))
        await session.execute(sa.text("DELETE FROM order_selections WHERE name = 's3'"))
        await session.execute(sa.text("UPDATE orders SET files_total = files_total - 2"))
    return order


async def test_files_of_a_product_itself_go_along_once_with_its_first_sub_order(
    sessions: Sessions, with_license: Order
) -> None:
    assert await plan(sessions, with_license) == 5
    assert await plan(sessions, with_license) == 5
    parts = "SELECT number, objects_total, files_total, bytes_total FROM suborders ORDER BY number"
    assert (await rows(sessions, parts))[:2] == [(1, 1, 4, 2 + 4), (2, 1, 2, 3)]
    along = "SELECT suborder, path FROM order_files WHERE object_name = 's3' ORDER BY path"
    assert await rows(sessions, along) == [(1, "s3/image.tif"), (1, "s3/meta.xml")]
    totals = "SELECT objects_total, files_total, files_left_out FROM orders"
    assert await rows(sessions, totals) == [(5, 11, 0)]


async def test_an_older_order_that_has_chosen_such_files_gets_them_once(sessions: Sessions, order: Order) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE catalogue_objects SET accompanies = true WHERE name = 's3'"))
    await plan(sessions, order)
    assert await rows(sessions, "SELECT count(*) FROM order_files WHERE object_name = 's3'") == [2]
