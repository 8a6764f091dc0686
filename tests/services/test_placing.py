"""Placing and estimating orders without HTTP: from a request, a caller and the present instant."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.access import Caller, Role
from models.errors import FailureCode, Hint, InvalidOrder
from models.failure_policy import FailurePolicy, OnMissing
from models.order_request import OrderRequest, RequestedLine
from models.quotas import Quotas
from models.splitting import Limits
from models.tables import CatalogueFile, CatalogueObject, Destination, Order, OrderItem, OrderSelection, Product
from services.estimating import estimate
from services.placing import check_payable, place, renew_draft
from services.storage_check import StorageCheck
from storage.pool import StoragePool
from storage.sources.registry import Sources
from tests.factories import Sessions, add_product

KNOW_ALL = """
    INSERT INTO known_files (file_id, size_bytes, modified_ns, sha256, crc32)
    SELECT id, size_bytes, 0, sha256(''), 0 FROM catalogue_files
"""
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MARIA, ADA = Caller("maria"), Caller("ada", frozenset({Role.ADMIN}))
ALL = OrderRequest((RequestedLine("scenes"),))
FILES = {"spring": {"a.tif": b"a", "b.tif": b"bb"}, "summer": {"a.tif": b"ccc"}}


@pytest.fixture
async def scenes(sessions: Sessions, tmp_path: Path) -> Product:
    return await add_product(sessions, tmp_path, "scenes", FILES, price=Decimal("2.50"))


async def test_names_ids_and_the_whole_product_select_the_same(sessions: Sessions, scenes: Product) -> None:
    async with sessions.begin() as session:
        ids = tuple(str(key) for key in await session.scalars(sa.select(col(CatalogueObject.id))))
        named = OrderRequest((RequestedLine("scenes", ("spring", "summer")),))
        orders = [await place(session, MARIA, request, NOW) for request in (ALL, named, OrderRequest(ids=ids))]
        selected = sa.select(col(OrderSelection.object_id)).order_by(col(OrderSelection.object_id))
        found = [
            (await session.scalars(selected.where(col(OrderSelection.order_id) == order.id))).all() for order in orders
        ]
    assert found[0] == found[1] == found[2]
    assert {(order.files_total, order.bytes_total, order.total_price) for order in orders} == {(3, 6, Decimal("5.00"))}


async def test_what_an_operator_orders_again_is_the_customers_and_no_quota_of_theirs_holds(
    sessions: Sessions, scenes: Product
) -> None:
    async with sessions.begin() as session:
        old = await place(session, MARIA, ALL, NOW)
        again = await place(session, ADA, OrderRequest(again=old.id), NOW, Quotas(open_orders=1))
    assert (again.customer, again.derived_from, again.total_price) == ("maria", old.id, old.total_price)


async def test_an_order_costs_what_was_estimated(sessions: Sessions, scenes: Product) -> None:
    async with sessions.begin() as session:
        told = await estimate(session, MARIA, ALL, NOW, limits=Limits(), quotas=Quotas())
        order = await place(session, MARIA, ALL, NOW)
    assert (told.quote.total, told.quote.currency) == (order.total_price, order.currency) == (Decimal("5.00"), "EUR")


async def test_every_fault_of_a_request_is_named_and_hints_at_its_remedy(sessions: Sessions, scenes: Product) -> None:
    lines = (RequestedLine("scenes", ("winter",)), RequestedLine("atlantis"))
    request = OrderRequest(lines, label="x" * 51, destination="nowhere")
    with pytest.raises(InvalidOrder) as refused:
        async with sessions.begin() as session:
            await place(session, MARIA, request, NOW)
    hints = [Hint.LIST_OBJECTS, Hint.LIST_PRODUCTS, None, Hint.LIST_DESTINATIONS]
    assert [fault.hint for fault in refused.value.faults] == hints
    async with sessions.begin() as session:
        told = await estimate(session, MARIA, replace(request, draft=True), NOW, limits=Limits(), quotas=Quotas())
    assert told.faults == list(refused.value.faults)


@pytest.fixture
def check() -> StorageCheck:
    return StorageCheck(Sources(), StoragePool("checks", 2))


def codes(order: Order) -> list[str]:
    return [warning["code"] for warning in order.warnings]


def totals(order: Order) -> tuple[int, int, int, Decimal]:
    return order.objects_total, order.files_total, order.bytes_total, order.total_price


async def withdraw(sessions: Sessions, name: str) -> None:
    async with sessions.begin() as session:
        found = sa.select(col(CatalogueObject.id)).where(col(CatalogueObject.name) == name)
        await session.execute(sa.delete(CatalogueFile).where(col(CatalogueFile.object_id).in_(found)))
        await session.execute(sa.delete(CatalogueObject).where(col(CatalogueObject.name) == name))


async def change_product(sessions: Sessions, sku: str, **values: object) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(Product).where(col(Product.sku) == sku).values(**values))


async def drafted(sessions: Sessions, request: OrderRequest = ALL) -> Order:
    async with sessions.begin() as session:
        return await place(session, MARIA, replace(request, draft=True), datetime.now(UTC))


async def selected(session: AsyncSession, order: Order) -> list[str]:
    names = sa.select(col(OrderSelection.name)).where(col(OrderSelection.order_id) == order.id)
    return sorted(await session.scalars(names))


async def test_a_restart_leaves_out_what_was_withdrawn_and_costs_what_is_left(
    sessions: Sessions, scenes: Product
) -> None:
    async with sessions.begin() as session:
        old = await place(session, MARIA, ALL, NOW)
    await withdraw(sessions, "spring")
    async with sessions.begin() as session:
        again = await place(session, MARIA, OrderRequest(again=old.id), NOW)
        assert await selected(session, again) == ["summer"]
        item = (await session.scalars(sa.select(OrderItem).where(col(OrderItem.order_id) == again.id))).one()
    assert (totals(again), item.quantity) == ((1, 1, 3, Decimal("2.50")), 1)
    assert again.warnings[0]["text"] == "scenes/spring is no longer in the catalogue; it is left out"
    assert (codes(again), again.warnings_total) == (["unknown_id"], 1)


@pytest.mark.parametrize("whole", [True, False])
async def test_an_object_of_which_a_file_is_gone_or_cut_short_is_left_out_and_told(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path, whole: bool
) -> None:
    (tmp_path / "spring" / "b.tif").unlink()
    request = ALL if whole else OrderRequest((RequestedLine("scenes", ("spring", "summer")),))
    async with sessions.begin() as session:
        told = await estimate(session, MARIA, request, NOW, limits=Limits(), quotas=Quotas(), check=check)
        order = await place(session, MARIA, request, NOW, check=check)
        assert await selected(session, order) == ["summer"]
    assert (totals(order), codes(order)) == ((1, 1, 3, Decimal("2.50")), ["source_missing"])
    assert order.warnings[0]["text"].endswith("; all of scenes/spring is left out")
    assert (told.quote.total, [w.code for w in told.warnings], told.faults) == (Decimal("2.50"), codes(order), [])
    (tmp_path / "summer" / "a.tif").write_bytes(b"c")
    with pytest.raises(InvalidOrder) as refused:
        async with sessions.begin() as session:
            await place(session, MARIA, request, NOW, check=check)
    wanted = [FailureCode.NOTHING_TO_ORDER, FailureCode.SOURCE_MISSING, FailureCode.SIZE_MISMATCH]
    assert [fault.code for fault in refused.value.faults] == wanted


async def test_of_single_files_only_the_one_that_is_gone_is_left_out(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path
) -> None:
    (tmp_path / "spring" / "b.tif").unlink()
    async with sessions.begin() as session:
        ids = tuple(str(key) for key in await session.scalars(sa.select(col(CatalogueFile.id))))
        order = await place(session, MARIA, OrderRequest(ids=ids), NOW, check=check)
        assert await selected(session, order) == ["spring/a.tif", "summer/a.tif"]
    assert order.warnings[0]["text"].endswith("; it is left out")


async def test_each_single_file_that_is_gone_is_named(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path
) -> None:
    for name in ("a.tif", "b.tif"):
        (tmp_path / "spring" / name).unlink()
    async with sessions.begin() as session:
        ids = tuple(str(key) for key in await session.scalars(sa.select(col(CatalogueFile.id))))
        order = await place(session, MARIA, OrderRequest(ids=ids), NOW, check=check)
        assert await selected(session, order) == ["summer/a.tif"]
    assert sorted(warning["field"] for warning in order.warnings) == ["scenes/spring/a.tif", "scenes/spring/b.tif"]


async def test_a_storage_that_does_not_answer_has_lost_nothing(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path
) -> None:
    await change_product(sessions, "scenes", location=str(tmp_path / "unmounted"))
    async with sessions.begin() as session:
        order = await place(session, MARIA, ALL, NOW, check=check)
    assert (order.files_total, order.warnings) == (3, [])


async def test_a_restart_leaves_out_products_that_are_closed_to_its_customer_whoever_restarts(
    sessions: Sessions, scenes: Product, tmp_path: Path
) -> None:
    await add_product(sessions, tmp_path / "maps", "maps", {"north": {"m.tif": b"m"}})
    both = OrderRequest((RequestedLine("scenes"), RequestedLine("maps")))
    async with sessions.begin() as session:
        old = await place(session, MARIA, both, NOW)
    await change_product(sessions, "scenes", access_groups=["friends"])
    async with sessions.begin() as session:
        for caller in (MARIA, ADA):
            again = await place(session, caller, OrderRequest(again=old.id), NOW)
            assert (again.skus, codes(again), again.total_price) == (["maps"], ["unknown_id"], Decimal(0))
    await change_product(sessions, "maps", access_groups=["friends"])
    with pytest.raises(InvalidOrder, match="nothing is left to order"):
        async with sessions.begin() as session:
            await place(session, ADA, OrderRequest(again=old.id), NOW)


async def test_a_restart_tells_prices_that_have_changed_and_is_refused_where_currencies_would_mix(
    sessions: Sessions, scenes: Product, tmp_path: Path
) -> None:
    await add_product(sessions, tmp_path / "maps", "maps", {"north": {"m.tif": b"m"}}, price=Decimal(1))
    async with sessions.begin() as session:
        old = await place(session, MARIA, OrderRequest((RequestedLine("scenes"), RequestedLine("maps"))), NOW)
    await change_product(sessions, "maps", unit_price=Decimal(2))
    async with sessions.begin() as session:
        again = await place(session, MARIA, OrderRequest(again=old.id), NOW)
    assert (again.total_price, codes(again)) == (Decimal("7.00"), ["price_changed"])
    assert again.warnings[0]["text"] == "an object of maps costs 2.00 EUR today, where it was 1.00 EUR"
    await change_product(sessions, "maps", currency="CHF")
    with pytest.raises(InvalidOrder, match="priced in CHF and EUR"):
        async with sessions.begin() as session:
            await place(session, MARIA, OrderRequest(again=old.id), NOW)


async def test_a_restart_goes_nowhere_where_its_destination_was_removed(sessions: Sessions, scenes: Product) -> None:
    async with sessions.begin() as session:
        folder = Destination(customer="maria", name="exports", kind="local", folder="/exports/maria")
        session.add(folder)
        await session.flush()
        old = await place(session, MARIA, replace(ALL, destination="exports"), NOW)
        await session.delete(folder)
        again = await place(session, MARIA, OrderRequest(again=old.id), NOW)
    assert (again.destination_id, again.destination_name) == (None, None)
    assert "exports was removed" in again.warnings[0]["text"]


async def test_what_was_written_to_is_left_out_unless_a_checksum_can_prove_it(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path
) -> None:
    os.utime(tmp_path / "summer" / "a.tif", ns=(0, 0))
    async with sessions.begin() as session:
        promised = await place(session, MARIA, ALL, NOW, check=check)
        await session.execute(sa.update(CatalogueFile).values(sha256=None))
        unproven = await place(session, MARIA, ALL, NOW, check=check)
        await session.execute(sa.text(KNOW_ALL))
        proven = await place(session, MARIA, ALL, NOW, check=check)
    assert [codes(order) for order in (promised, unproven, proven)] == [[], ["source_changed"], []]


async def test_a_draft_is_submitted_at_todays_prices_without_what_is_gone(
    sessions: Sessions, scenes: Product, check: StorageCheck
) -> None:
    draft = await drafted(sessions)
    await withdraw(sessions, "spring")
    await change_product(sessions, "scenes", unit_price=Decimal(4), currency="CHF")
    async with sessions.begin() as session:
        for _ in range(2):
            order = await renew_draft(session, MARIA, draft.id, check, NOW)
        assert await selected(session, order) == ["summer"]
    assert (totals(order), order.currency) == ((1, 1, 3, Decimal(4)), "CHF")
    assert sorted(codes(order)) == ["price_changed", "unknown_id"]
    await withdraw(sessions, "summer")
    with pytest.raises(InvalidOrder, match="nothing is left to order"):
        async with sessions.begin() as session:
            await renew_draft(session, MARIA, draft.id, check, NOW)


async def test_a_draft_of_which_nothing_has_changed_stays_as_it_is(
    sessions: Sessions, scenes: Product, check: StorageCheck
) -> None:
    draft = await drafted(sessions)
    async with sessions.begin() as session:
        order = await renew_draft(session, MARIA, draft.id, check, NOW)
        items = (await session.scalars(sa.select(OrderItem).where(col(OrderItem.order_id) == draft.id))).all()
    assert ([item.configuration for item in items], order.warnings) == (["all objects"], [])


async def test_a_draft_is_submitted_with_objects_as_they_are_now(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path
) -> None:
    draft = await drafted(sessions)
    (tmp_path / "summer" / "a.tif").write_bytes(b"cccc")
    async with sessions.begin() as session:
        summer = sa.select(col(CatalogueObject.id)).where(col(CatalogueObject.name) == "summer").scalar_subquery()
        await session.execute(
            sa.update(CatalogueFile).where(col(CatalogueFile.object_id) == summer).values(size_bytes=4)
        )
        changed = sa.update(CatalogueObject).where(col(CatalogueObject.id) == summer)
        await session.execute(changed.values(changed_at=sa.func.clock_timestamp()))
    async with sessions.begin() as session:
        order = await renew_draft(session, MARIA, draft.id, check, NOW)
    assert (totals(order), codes(order)) == ((2, 3, 7, Decimal("5.00")), ["catalogue_changed"])


async def test_a_payment_is_warned_of_what_is_gone_and_refused_where_nothing_is_left(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path
) -> None:
    async with sessions.begin() as session:
        placed = await place(session, MARIA, ALL, NOW)
    await change_product(sessions, "scenes", unit_price=Decimal(9))
    (tmp_path / "spring" / "b.tif").unlink()
    async with sessions.begin() as session:
        order = await session.get_one(Order, placed.id)
        for _ in range(2):
            await check_payable(session, order, check)
        assert (codes(order), order.total_price, order.warnings_total) == (["source_missing"], Decimal("5.00"), 1)
        assert order.warnings[0]["text"].startswith("when it was paid: ")
        assert "left out" not in order.warnings[0]["text"]
        await session.flush()
    await withdraw(sessions, "summer")
    # One file of the object that has lost another can still be delivered, and is.
    async with sessions.begin() as session:
        await check_payable(session, await session.get_one(Order, placed.id), check)
    (tmp_path / "spring" / "a.tif").unlink()
    with pytest.raises(InvalidOrder, match="nothing is left to order"):
        async with sessions.begin() as session:
            await check_payable(session, await session.get_one(Order, placed.id), check)


REFUSING = replace(ALL, on_missing=OnMissing.REFUSE)


async def test_an_order_that_wants_all_or_nothing_is_refused_with_everything_that_is_missing(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path
) -> None:
    await add_product(sessions, tmp_path / "maps", "maps", {"north": {"m.tif": b"m"}})
    both = replace(REFUSING, lines=(RequestedLine("scenes"), RequestedLine("maps")))
    async with sessions.begin() as session:
        old = await place(session, MARIA, both, NOW, check=check)
    draft = await drafted(sessions, both)
    await withdraw(sessions, "summer")
    (tmp_path / "spring" / "b.tif").unlink()
    wanted = [("something_missing", "on_missing"), ("unknown_id", "scenes/summer")]
    wanted.append(("source_missing", "scenes/spring/b.tif"))
    again = OrderRequest(again=old.id)
    with pytest.raises(InvalidOrder) as restarted:
        async with sessions.begin() as session:
            await place(session, MARIA, again, NOW, check=check)
    with pytest.raises(InvalidOrder) as submitted:
        async with sessions.begin() as session:
            await renew_draft(session, MARIA, draft.id, check, NOW)
    with pytest.raises(InvalidOrder) as paid:
        async with sessions.begin() as session:
            await check_payable(session, await session.get_one(Order, old.id), check)
    for refused in (restarted, submitted, paid):
        assert [(fault.code, fault.field) for fault in refused.value.faults] == wanted
    async with sessions.begin() as session:
        told = await estimate(session, MARIA, again, NOW, limits=Limits(), quotas=Quotas(), check=check)
    assert told.faults == list(restarted.value.faults)


async def test_an_order_again_has_the_old_ones_failure_policy_unless_another_is_given(
    sessions: Sessions, scenes: Product
) -> None:
    request = replace(REFUSING, max_failed_percent=Decimal("2.5"))
    async with sessions.begin() as session:
        old = await place(session, MARIA, request, NOW)
        again = await place(session, MARIA, OrderRequest(again=old.id), NOW)
        other = OrderRequest(again=old.id, on_missing=OnMissing.DELIVER_THE_REST)
        changed = await place(session, MARIA, other, NOW)
    assert again.failure_policy == FailurePolicy(OnMissing.REFUSE, Decimal("2.5"))
    assert changed.failure_policy == FailurePolicy(max_failed_percent=Decimal("2.5"))


@pytest.mark.parametrize(("limit", "payable"), [("33.33", False), ("33.34", True)])
async def test_nobody_pays_for_an_order_of_which_more_is_gone_than_it_allows(
    sessions: Sessions, scenes: Product, check: StorageCheck, tmp_path: Path, limit: str, payable: bool
) -> None:
    async with sessions.begin() as session:
        order = await place(session, MARIA, replace(ALL, max_failed_percent=Decimal(limit)), NOW)
    (tmp_path / "spring" / "b.tif").unlink()
    async with sessions.begin() as session:
        found = await session.get_one(Order, order.id)
        if payable:
            await check_payable(session, found, check)
            assert codes(found) == ["source_missing"]
            return
        with pytest.raises(InvalidOrder, match=r"1 of 3 files \(33.34 %\) cannot be delivered"):
            await check_payable(session, found, check)
