"""Prices as administrators set them: price lists, discounts and coupons, tax.

Each change is written down with who made it. Orders keep the prices that they were placed at.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from models.access import Caller
from models.errors import Fault, InvalidPrice, NotFound
from models.pricing import discount_faults, percent_faults, price_faults
from models.queries import prices as queries
from models.tables import AdminAct, DiscountTerms, ListPrice, PriceTerms, TaxRateRow
from services.products import get_product

Kept = TypeVar("Kept", bound=SQLModel)
LIST_PRICE, DISCOUNT, TAX_RATE, TERMS = "list_price", "discount", "tax_rate", "price_terms"
"""The kinds of acts on prices."""


async def set_list_price(
    session: AsyncSession, caller: Caller, group: str, sku: str, unit_price: Decimal, now: datetime
) -> ListPrice:
    """Say what a group pays for a product, in the product's currency and unit. Raises NotFound or InvalidPrice."""
    product = await get_product(session, sku, caller.admitted)
    if faults := price_faults(unit_price, product.currency):
        raise InvalidPrice(faults)
    key = {"group_name": group, "sku": sku}
    values = {"unit_price": unit_price, "currency": product.currency, "price_unit": product.price_unit}
    return await _put(session, caller, now, ListPrice, key, values, LIST_PRICE)


async def remove_list_price(session: AsyncSession, caller: Caller, group: str, sku: str, now: datetime) -> None:
    """Let a group pay a product's own price. Raises NotFound."""
    query = sa.select(ListPrice).where(col(ListPrice.group_name) == group, col(ListPrice.sku) == sku)
    await _remove(session, caller, now, query, LIST_PRICE, f"{group}/{sku}")


async def get_discount(session: AsyncSession, discount_id: UUID) -> DiscountTerms:
    """Get a discount or coupon. Raises NotFound."""
    return await _one(session, queries.discount_by_id(discount_id), DISCOUNT, str(discount_id))


async def save_discount(
    session: AsyncSession, caller: Caller, fields: Mapping[str, Any], now: datetime, discount_id: UUID | None = None
) -> DiscountTerms:
    """Add a discount, or give one other terms. Raises NotFound, or InvalidPrice with every fault."""
    row = DiscountTerms(name="") if discount_id is None else await get_discount(session, discount_id)
    before = None if discount_id is None else _attributes(row)
    for name, value in fields.items():
        setattr(row, name, value)
    with session.no_autoflush:
        if faults := discount_faults(row.discount):
            raise InvalidPrice(faults)
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        text = f"there is a coupon with the code {fields['code']} already"
        raise InvalidPrice([Fault(field="code", code="code_taken", text=text)]) from None
    await session.refresh(row)
    _write_down(session, caller, now, DISCOUNT, str(row.id), before, _attributes(row))
    return row


async def remove_discount(session: AsyncSession, caller: Caller, discount_id: UUID, now: datetime) -> None:
    """End a discount, and forget how often it was used; orders keep what it took off. Raises NotFound."""
    await _remove(session, caller, now, queries.discount_by_id(discount_id), DISCOUNT, str(discount_id))


async def set_tax_rate(
    session: AsyncSession, caller: Caller, country: str, tax_class: str, percent: Decimal, name: str, now: datetime
) -> TaxRateRow:
    """Say what a country takes of a class of products. Raises InvalidPrice."""
    if faults := percent_faults(percent, least_is_zero=True):
        raise InvalidPrice(faults)
    key = {"country": country, "tax_class": tax_class}
    return await _put(session, caller, now, TaxRateRow, key, {"percent": percent, "name": name}, TAX_RATE)


async def remove_tax_rate(session: AsyncSession, caller: Caller, country: str, tax_class: str, now: datetime) -> None:
    """Tax a class of products in a country no more. Raises NotFound."""
    query = sa.select(TaxRateRow).where(col(TaxRateRow.country) == country, col(TaxRateRow.tax_class) == tax_class)
    await _remove(session, caller, now, query, TAX_RATE, f"{country}/{tax_class}")


async def get_terms(session: AsyncSession) -> PriceTerms:
    """Get what holds for all prices."""
    return (await session.execute(queries.terms())).scalar_one_or_none() or PriceTerms()


async def set_terms(
    session: AsyncSession, caller: Caller, tax_included: bool, country: str | None, now: datetime
) -> PriceTerms:
    """Say whether prices include tax, and where a customer is taxed who has not said it."""
    values = {"tax_included": tax_included, "country": country}
    return await _put(session, caller, now, PriceTerms, {"id": 1}, values, TERMS)


async def _put(
    session: AsyncSession,
    caller: Caller,
    now: datetime,
    table: type[Kept],
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    kind: str,
) -> Kept:
    """Write a row in place of the one of its key; two at once leave one of them, and both acts."""
    query = sa.select(table).where(*(getattr(table, name) == value for name, value in key.items()))
    was = (await session.execute(query.with_for_update())).scalar_one_or_none()
    before = None if was is None else _attributes(was)
    statement = insert(table).values(**key, **values)
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=dict(values))
    options = {"populate_existing": True}
    kept = (await session.execute(statement.returning(table), execution_options=options)).scalar_one()
    subject = "/".join(str(value) for value in key.values())
    _write_down(session, caller, now, kind, subject, before, _attributes(kept))
    return kept


async def _one(session: AsyncSession, query: sa.Select[Kept], kind: str, subject: str) -> Kept:
    row = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if row is None:
        raise NotFound(kind.replace("_", " "), subject)
    return row


async def _remove(
    session: AsyncSession, caller: Caller, now: datetime, query: sa.Select[Kept], kind: str, subject: str
) -> None:
    row = await _one(session, query, kind, subject)
    _write_down(session, caller, now, kind, subject, _attributes(row), None)
    await session.delete(row)


def _write_down(
    session: AsyncSession,
    caller: Caller,
    now: datetime,
    kind: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Keep who has changed what; nothing where nothing is different."""
    names = sorted({*(before or {}), *(after or {})})
    pairs = {name: [(before or {}).get(name), (after or {}).get(name)] for name in names}
    if changes := {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}:
        session.add(AdminAct(at=now, actor=caller.actor, kind=kind, subject=subject, changes=changes))


def _attributes(row: SQLModel) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude={"id", "created_at"})
