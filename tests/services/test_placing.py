"""Placing and estimating orders without HTTP: from a request, a caller and the present instant."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col

from models.access import Caller, Role
from models.errors import Hint, InvalidOrder
from models.order_request import OrderRequest, RequestedLine
from models.quotas import Quotas
from models.splitting import Limits
from models.tables import CatalogueObject, OrderSelection, Product
from services.estimating import estimate
from services.placing import place
from tests.factories import Sessions, add_product

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
