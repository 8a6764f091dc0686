"""The bodies by which administrators set prices, and how these are shown."""

from decimal import Decimal
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.orders.schemas import Country
from api.schemas import EXACT, WHOLE, Body, Instant, Key, Money
from models.pricing import TAX_CLASS, written
from models.tables import DiscountTerms, ListPrice, PriceTerms, TaxRateRow
from models.text import checked

_MAX_NAME = 100
_Amount = Annotated[str, Field(pattern=r"^[0-9]{1,10}(\.[0-9]{1,4})?$", examples=["12.50"])]
_Percent = Annotated[str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,4})?$", examples=["20"])]
_Name = Annotated[
    str,
    AfterValidator(partial(checked, limit=_MAX_NAME)),
    Field(json_schema_extra={"minLength": 1, "maxLength": _MAX_NAME}),
]
_Code = Annotated[str, Field(pattern="^[A-Z0-9][A-Z0-9_-]{2,39}$", examples=["SPRING-26"])]
_Uses = Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE]
TaxClass = Annotated[str, Field(pattern=TAX_CLASS, examples=["standard"])]


class ListPriceBody(Body):
    """What a group pays for a unit, in the product's currency."""

    unit_price: _Amount


class ListPricePublic(BaseModel):
    """A line of a group's price list; it holds while the product has this currency and unit."""

    group: str
    product: str
    unit_price: Money
    currency: str
    price_unit: str


class ListPricesPublic(BaseModel):
    """A page of price lists."""

    items: list[ListPricePublic]
    next_cursor: str | None


class DiscountBody(Body):
    """A discount by `percent` or by `amount`; with a `code` it is a coupon, which customers give."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"name": "Spring sale", "code": "SPRING-26", "percent": "10"}]},
    )

    name: _Name
    code: _Code | None = None
    percent: _Percent | None = None
    amount: _Amount | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    minimum: _Amount | None = Field(default=None, description="The subtotal from which it is given.")
    products: Annotated[list[Key], Field(max_length=1000)] = Field(default=[])
    groups: Annotated[list[Key], Field(max_length=1000)] = Field(default=[])
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    most_uses: _Uses | None = Field(default=None, description="Orders that may use the code, by all customers.")
    most_uses_each: _Uses | None = Field(default=None, description="Orders of one customer that may.")

    def fields(self) -> dict[str, Any]:
        """The same as it is kept."""
        given = self.model_dump(exclude={"products"})
        for name in ("percent", "amount", "minimum"):
            given[name] = None if given[name] is None else Decimal(given[name])
        return given | {"skus": sorted(set(self.products)), "groups": sorted(set(self.groups))}


class DiscountPublic(BaseModel):
    """A discount or coupon, with how often it has been used."""

    id: UUID
    name: str
    code: str | None
    percent: str | None
    amount: Money | None
    currency: str | None
    minimum: Money | None
    products: list[str]
    groups: list[str]
    valid_from: Instant | None
    valid_until: Instant | None
    most_uses: int | None
    most_uses_each: int | None
    uses: Annotated[int, Field(le=EXACT)]


class DiscountsPublic(BaseModel):
    """A page of discounts."""

    items: list[DiscountPublic]
    next_cursor: str | None


class TaxRateBody(Body):
    """What a country takes, and how it calls that."""

    percent: _Percent
    name: _Name


class TaxRatePublic(BaseModel):
    """A rate of tax."""

    country: str
    tax_class: str
    percent: str
    name: str


class TaxRatesPublic(BaseModel):
    """A page of rates of tax."""

    items: list[TaxRatePublic]
    next_cursor: str | None


class PriceTermsBody(Body):
    """What holds for all prices."""

    tax_included: bool = Field(description="Whether prices include tax.")
    country: Country | None = Field(description="Where a customer is taxed who has not said it; null: nowhere.")


def list_price_public(row: ListPrice) -> ListPricePublic:
    """A line of a price list."""
    return ListPricePublic(
        group=row.group_name,
        product=row.sku,
        unit_price=written(row.unit_price, row.currency),
        currency=row.currency,
        price_unit=row.price_unit,
    )


def discount_public(row: DiscountTerms, uses: int) -> DiscountPublic:
    """A discount."""
    amounts = {
        name: None if (amount := getattr(row, name)) is None else written(amount, row.currency)
        for name in ("amount", "minimum")
    }
    shown = row.model_dump(exclude={"amount", "minimum", "percent", "skus", "created_at"})
    percent = None if row.percent is None else f"{row.percent:f}"
    return DiscountPublic(**shown, **amounts, percent=percent, products=row.skus, uses=uses)


def tax_rate_public(row: TaxRateRow) -> TaxRatePublic:
    """A rate of tax."""
    return TaxRatePublic(country=row.country, tax_class=row.tax_class, percent=f"{row.percent:f}", name=row.name)


def terms_public(row: PriceTerms) -> PriceTermsBody:
    """What holds for all prices."""
    return PriceTermsBody(tax_included=row.tax_included, country=row.country)
