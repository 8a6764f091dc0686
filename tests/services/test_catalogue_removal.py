"""A product that is removed leaves its orders what they have; what comes back is found by them again."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from activities.validation import ValidationActivities
from models.errors import FailureCode, NotFound
from models.messages import OrderRef
from models.order_request import OrderRequest, RequestedLine
from models.tables import Order
from services.catalogue import ImportOptions, import_source, preview_removal, remove_product
from services.placing import place
from tests.activities.builders import run
from tests.factories import make_ready
from tests.services.catalogue_sources import Sessions, put, rows
from tests.services.test_placing import MARIA

NAMES = "SELECT o.name, o.id FROM catalogue_objects o ORDER BY o.name"


@pytest.fixture
async def folder(sessions: Sessions, tmp_path: Path) -> Path:
    for name in ("a.csv", "b/one.tif", "b/two.tif"):
        put(tmp_path / "scenes" / name)
    await import_source(sessions, tmp_path / "scenes")
    return tmp_path / "scenes"


async def ordered(sessions: Sessions, request: OrderRequest, *, draft: bool = False) -> Order:
    async with sessions.begin() as session:
        now = (await rows(sessions, "SELECT clock_timestamp()"))[0]
        lines = OrderRequest(request.lines, request.ids, request.again, draft=draft)
        return await place(session, MARIA, lines, now)


async def faults(sessions: Sessions, order: Order) -> list[str]:
    found = await run(ValidationActivities(sessions).validate_order, OrderRef(order_id=order.id))
    return [fault.code for fault in found.faults]


def move(source: Path, target: Path) -> Path:
    """Move a folder, in place of an empty one."""
    source.rename(target)
    return source


async def withdrawn_and_back(sessions: Sessions, folder: Path) -> None:
    move(folder, folder.with_name("away")).mkdir()
    await import_source(sessions, folder, ImportOptions(allow_withdrawals=True))


async def removed_and_back(sessions: Sessions, folder: Path) -> None:
    await remove_product(sessions, "scenes")
    move(folder, folder.with_name("away"))


@pytest.mark.parametrize("lose", [withdrawn_and_back, removed_and_back])
async def test_orders_find_what_was_lost_when_it_is_back(
    sessions: Sessions, folder: Path, lose: Callable[[Sessions, Path], Awaitable[None]]
) -> None:
    ((file,),) = [(str(key),) for key in await rows(sessions, "SELECT id FROM catalogue_files WHERE name = 'two.tif'")]
    whole = OrderRequest((RequestedLine("scenes"),))
    orders = [await ordered(sessions, whole, draft=True), await ordered(sessions, OrderRequest(ids=(file,)))]
    before = await rows(sessions, NAMES)
    assert [await faults(sessions, order) for order in orders] == [[], []]
    await lose(sessions, folder)
    assert [FailureCode.UNKNOWN_ID in await faults(sessions, order) for order in orders] == [True, True]
    move(folder.with_name("away"), folder)
    await import_source(sessions, folder)
    assert await rows(sessions, NAMES) == before
    assert [await faults(sessions, order) for order in orders] == [[], []]
    again = [await ordered(sessions, OrderRequest(again=order.id)) for order in orders]
    assert [order.files_total for order in again] == [3, 1]


async def test_a_removal_tells_what_goes_and_which_orders_will_be_refused(sessions: Sessions, folder: Path) -> None:
    whole = OrderRequest((RequestedLine("scenes"),))
    waiting, made = await ordered(sessions, whole), await ordered(sessions, whole)
    await make_ready(sessions, made)
    files = await rows(sessions, "SELECT href, state FROM order_files")
    told = await preview_removal(sessions, "scenes")
    assert (told.name, told.objects, told.files, told.orders) == ("scenes", 2, 3, (waiting.number,))
    assert await remove_product(sessions, "scenes") == told
    assert await rows(sessions, "SELECT sku FROM products UNION ALL SELECT name FROM catalogue_files") == []
    assert await rows(sessions, "SELECT href, state FROM order_files") == files
    with pytest.raises(NotFound):
        await remove_product(sessions, "scenes")


async def test_a_removed_product_that_was_priced_starts_over(sessions: Sessions, folder: Path) -> None:
    await import_source(sessions, folder, ImportOptions(price="2.50", groups=("partners",)))
    await remove_product(sessions, "scenes")
    (report,) = await import_source(sessions, folder)
    assert (report.product, report.added) == ("added", 3)
    assert await rows(sessions, "SELECT unit_price::float, access_groups FROM products") == [(0.0, [])]
    assert await rows(sessions, "SELECT sku FROM withdrawn_products") == []
