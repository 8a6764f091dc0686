"""The body that sets attributes of a product, and a product with all of them."""

from typing import Annotated

from pydantic import ConfigDict, Field, Strict

from api.catalogue.schemas import ProductPublic
from api.schemas import EXACT, WHOLE, Body, change_schema
from models.pricing import TAX_CLASS, PriceUnit

_Text = Annotated[str, Field(max_length=2_000)]
_Amount = Annotated[str, Field(pattern=r"^[0-9]{1,10}(\.[0-9]{1,4})?$")]
_Description = Annotated[str, Field(max_length=10_000)]
_Limit = Annotated[int, Field(ge=1, le=EXACT), WHOLE]


class TitlesChange(Body):
    """Titles by language; what is left out stays, `null` takes one away."""

    en: _Text | None = None
    fr: _Text | None = None


class DescriptionsChange(Body):
    """Descriptions by language, likewise."""

    en: _Description | None = None
    fr: _Description | None = None


class ProductChange(Body):
    """What to set; `null` takes back what was set by hand: the next import sets it as the source has it.

    A limit of `null` is none, a tax class of `null` is `standard`.
    """

    model_config = ConfigDict(
        json_schema_extra=change_schema({"unit_price": "12.50", "access_groups": ["partners"]}, minProperties=1)
    )

    name: _Text | None = None
    unit_price: _Amount | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    price_unit: Annotated[PriceUnit, Strict(False)] | None = None
    tax_class: Annotated[str, Field(pattern=TAX_CLASS)] | None = None
    titles: TitlesChange | None = None
    descriptions: DescriptionsChange | None = None
    access_groups: Annotated[list[_Text], Field(max_length=1_000)] | None = None
    most_objects: _Limit | None = None
    most_bytes: _Limit | None = None


class ProductDetail(ProductPublic):
    """A product; who may order it and what was set by hand is for staff, and null for others."""

    tax_class: str
    titles: dict[str, str] = Field(description="By language: `en`, `fr`.")
    descriptions: dict[str, str]
    description: str | None = Field(description="As the source has it.")
    license: str | None
    bbox: list[float] | None
    begins_at: str | None
    ends_at: str | None
    most_objects: int | None
    most_bytes: int | None
    access_groups: list[str] | None
    set_by_hand: list[str] | None
