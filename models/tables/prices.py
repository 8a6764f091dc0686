"""What administrators say of prices: prices of groups, discounts and coupons, rates of tax."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from models.pricing import Discount, PriceUnit, TaxRate
from models.tables.base import INSTANT, new_id, now, one_of


class ListPrice(SQLModel, table=True):
    """A line of the price list of a group: what the group pays for a product, instead of the product's own price.

    It holds while the product is priced in the same currency and unit; by its SKU it outlives an import.
    """

    __tablename__ = "list_prices"
    __table_args__ = (
        one_of("price_unit", PriceUnit),
        sa.UniqueConstraint("sku", "group_name"),
        sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    group_name: str = Field(sa_type=sa.Text)
    sku: str = Field(sa_type=sa.Text)
    unit_price: Decimal = Field(sa_type=sa.Numeric)
    currency: str = Field(sa_type=sa.Text)
    price_unit: str = Field(sa_type=sa.Text)


class DiscountTerms(SQLModel, table=True):
    """A discount, or with a code a coupon; of all customers or of groups, off all products or off some."""

    __tablename__ = "discounts"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        sa.CheckConstraint("num_nonnulls(percent, amount) = 1", name="percent_or_amount"),
        sa.CheckConstraint("(percent > 0 AND percent <= 100) OR amount > 0", name="takes_off"),
        sa.CheckConstraint(
            "currency IS NOT NULL OR amount IS NULL AND minimum IS NULL", name="amounts_have_a_currency"
        ),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    name: str = Field(sa_type=sa.Text)
    code: str | None = Field(default=None, sa_type=sa.Text)
    percent: Decimal | None = Field(default=None, sa_type=sa.Numeric)
    amount: Decimal | None = Field(default=None, sa_type=sa.Numeric)
    currency: str | None = Field(default=None, sa_type=sa.Text)
    minimum: Decimal | None = Field(default=None, sa_type=sa.Numeric)
    skus: list[str] = Field(default_factory=list, sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"})
    groups: list[str] = Field(default_factory=list, sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"})
    valid_from: datetime | None = Field(default=None, sa_type=INSTANT)
    valid_until: datetime | None = Field(default=None, sa_type=INSTANT)
    # How often a coupon may be used, by all and by each customer; as often as they like where it is not said.
    most_uses: int | None = Field(default=None)
    most_uses_each: int | None = Field(default=None)
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)

    @property
    def discount(self) -> Discount:
        """The same as the rules of prices take it."""
        return Discount(
            id=self.id,
            name=self.name,
            code=self.code,
            percent=self.percent,
            amount=self.amount,
            currency=self.currency,
            minimum=self.minimum,
            skus=frozenset(self.skus),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
        )


class CouponUse(SQLModel, table=True):
    """An order that a coupon was used for; an order has one at most. Gone again if the order is never paid."""

    __tablename__ = "coupon_uses"
    __table_args__ = (sa.Index("ix_coupon_uses_discount", "discount_id", "customer"),)

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    discount_id: UUID = Field(foreign_key="discounts.id", ondelete="CASCADE")
    customer: str = Field(sa_type=sa.Text)


class TaxRateRow(SQLModel, table=True):
    """What a country takes of a class of products."""

    __tablename__ = "tax_rates"
    __table_args__ = (
        sa.UniqueConstraint("country", "tax_class"),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="percent_in_bounds"),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    country: str = Field(sa_type=sa.Text)
    tax_class: str = Field(sa_type=sa.Text)
    percent: Decimal = Field(sa_type=sa.Numeric)
    name: str = Field(sa_type=sa.Text)

    @property
    def rate(self) -> TaxRate:
        """The same as the rules of prices take it."""
        return TaxRate(self.country, self.tax_class, self.percent, self.name)


class PriceTerms(SQLModel, table=True):
    """What holds for all prices: whether they include tax, and where a customer is taxed who has not said it.

    There is one row, or none: then prices do not include tax, and who has not said where is not taxed.
    """

    __tablename__ = "price_terms"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    tax_included: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    country: str | None = Field(default=None, sa_type=sa.Text)
