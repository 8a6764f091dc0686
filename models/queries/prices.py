"""Queries for prices: what holds for a customer, and how often a coupon has been used."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import col

from models.tables import CouponUse, DiscountTerms, ListPrice, PriceTerms, TaxRateRow, User


def groups_of(customer: str) -> sa.Select[list[str]]:
    """The groups of a customer."""
    return sa.select(col(User.groups)).where(col(User.id) == customer)


def list_prices(skus: Sequence[str], groups: Collection[str]) -> sa.Select[ListPrice]:
    """The lines of groups' price lists for products."""
    among = col(ListPrice.sku) == sa.any_(sa.literal(list(skus), ARRAY(sa.Text)))
    return sa.select(ListPrice).where(among, col(ListPrice.group_name).in_(sorted(groups)))


def discounts_for(groups: Collection[str], now: datetime) -> sa.Select[DiscountTerms]:
    """The discounts without a code that hold now for a customer of these groups."""
    return sa.select(DiscountTerms).where(
        col(DiscountTerms.code).is_(None),
        _for(groups),
        sa.func.coalesce(col(DiscountTerms.valid_from) <= now, sa.true()),
        sa.func.coalesce(col(DiscountTerms.valid_until) > now, sa.true()),
    )


def coupon_for(groups: Collection[str], code: str) -> sa.Select[DiscountTerms]:
    """The coupon of a code, if it is one for a customer of these groups, whenever it is valid."""
    return sa.select(DiscountTerms).where(col(DiscountTerms.code) == code, _for(groups))


def coupon_held(discount_id: UUID) -> sa.Select[DiscountTerms]:
    """A coupon, held until the transaction ends: nobody else uses it meanwhile, and what is counted stays true."""
    return sa.select(DiscountTerms).where(col(DiscountTerms.id) == discount_id).with_for_update(key_share=True)


def uses_of(discount_id: UUID, customer: str, besides: UUID | None) -> sa.Select[int, int]:
    """How often a coupon has been used by all, and by a customer, the use for an order left aside."""
    others = col(CouponUse.order_id) != besides if besides else sa.true()
    mine = sa.func.count().filter(col(CouponUse.customer) == customer)
    return sa.select(sa.func.count(), mine).where(col(CouponUse.discount_id) == discount_id, others)


def use_coupon(order_id: UUID, discount_id: UUID, customer: str) -> sa.Insert:
    """Write down for which order a coupon is used; an order uses one, and once."""
    statement = insert(CouponUse).values(order_id=order_id, discount_id=discount_id, customer=customer)
    return statement.on_conflict_do_update(
        index_elements=[col(CouponUse.order_id)], set_={"discount_id": discount_id, "customer": customer}
    )


def give_back_coupon(order_id: UUID) -> sa.Delete:
    """Let the coupon of an order be used again."""
    return sa.delete(CouponUse).where(col(CouponUse.order_id) == order_id)


def terms() -> sa.Select[PriceTerms]:
    """What holds for all prices."""
    return sa.select(PriceTerms)


def tax_rates_of(country: str) -> sa.Select[TaxRateRow]:
    """The rates of a country."""
    return sa.select(TaxRateRow).where(col(TaxRateRow.country) == country)


def _for(groups: Collection[str]) -> sa.ColumnElement[bool]:
    """What is for everybody, or for one of these groups."""
    mine = sa.literal(sorted(groups), ARRAY(sa.Text))
    return sa.or_(sa.func.cardinality(col(DiscountTerms.groups)) == 0, col(DiscountTerms.groups).op("&&")(mine))


def page_of_list_prices(after: UUID | None, limit: int) -> sa.Select[ListPrice]:
    """A page of all price lists, in the order in which their lines were set first."""
    return sa.select(ListPrice).where(_behind(ListPrice.id, after)).order_by(col(ListPrice.id)).limit(limit)


def page_of_discounts(after: UUID | None, limit: int) -> sa.Select[DiscountTerms, int]:
    """A page of all discounts, with how often each was used."""
    uses = sa.select(sa.func.count()).where(col(CouponUse.discount_id) == col(DiscountTerms.id)).scalar_subquery()
    query = sa.select(DiscountTerms, uses).where(_behind(DiscountTerms.id, after))
    return query.order_by(col(DiscountTerms.id)).limit(limit)


def page_of_tax_rates(after: UUID | None, limit: int) -> sa.Select[TaxRateRow]:
    """A page of all rates of tax."""
    return sa.select(TaxRateRow).where(_behind(TaxRateRow.id, after)).order_by(col(TaxRateRow.id)).limit(limit)


def discount_by_id(discount_id: UUID) -> sa.Select[DiscountTerms]:
    """A discount."""
    return sa.select(DiscountTerms).where(col(DiscountTerms.id) == discount_id)


def _behind(key: UUID, after: UUID | None) -> sa.ColumnElement[bool]:
    return col(key) > after if after else sa.true()
