"""What an import is asked to do and what it answers."""

import operator
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from models.pricing import MOST_MINOR_UNITS, decimals_in_words, minor_units, misfit, unpriceable
from models.products import MAX_NAME_CHARACTERS
from models.text import checked

Name = Annotated[str, AfterValidator(partial(checked, limit=MAX_NAME_CHARACTERS))]


def _priceable(currency: str) -> str:
    if reason := unpriceable(currency):
        raise PydanticCustomError("currency_unknown", "{reason}", {"reason": reason})
    return currency


Currency = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, pattern="^[A-Za-z]{3}$"),
    AfterValidator(_priceable),
]


def price_remedy(currency: str) -> str:
    """What to do about a price that does not fit its currency."""
    return f"give a --price with {decimals_in_words(minor_units(currency))}, or the --currency it is in"


class ImportOptions(BaseModel):
    """What the operator decides; what is left out comes from the source, or stays as the catalogue has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: Name | None = None
    name: Name | None = None
    currency: Currency | None = None
    price: Decimal | None = Field(default=None, ge=0, max_digits=10 + MOST_MINOR_UNITS, decimal_places=MOST_MINOR_UNITS)
    groups: tuple[Name, ...] | None = None
    allow_withdrawals: bool = False
    """Believe the source however much of a product it no longer shows."""
    moved: bool = False
    """Believe that a product is at another place now, however little of it is there."""
    hidden: bool = False
    """Take what is hidden at the top of a folder too; what is hidden inside of an object always belongs to it."""
    plain: bool = False
    """Take a folder for a plain one, whatever STAC documents are in it."""

    @field_validator("price")
    @classmethod
    def _fits(cls, price: Decimal | None, given: ValidationInfo) -> Decimal | None:
        """Check the price against the currency that is given with it; the merge checks it against the product's."""
        currency = given.data.get("currency")
        if price is not None and currency is not None and (reason := misfit(price, currency)):
            raise PydanticCustomError("price_misfit", "{reason}", {"reason": f"{reason}; {price_remedy(currency)}"})
        return price


class SkippedEntry(BaseModel):
    """Something of the source that did not get into the catalogue, and the reason.

    `unread`: it could not be looked at, so nobody knows what it is.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    what: str
    why: str
    unread: bool = Field(default=False, exclude_if=operator.not_)


class ChecksumReport(BaseModel):
    """What reading a product's files ahead came to; `files` are those whose checksums are known now and were not."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: str
    files: int
    size_bytes: int
    refused: tuple[SkippedEntry, ...] = ()


class ImportReport(BaseModel):
    """What an import did to one product, counted in files; `absent` where there was nothing to make one from.

    `left`: its catalogue no longer names it. `objects_changed` are those known before whose footprint, time or
    properties are others now. `kept` are files that stay though they were not seen, for their place could not be looked
    at, of `kept_objects` and more. With a `refusal` the product was left as it was.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: str
    name: str
    location: str
    product: Literal["added", "changed", "unchanged", "absent", "left"]
    objects: int = 0
    objects_changed: int = 0
    size_bytes: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    kept: int = 0
    kept_objects: tuple[str, ...] = ()
    refused: tuple[SkippedEntry, ...] = ()
    refusal: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """The files the product has after the import, besides those that are kept."""
        return self.added + self.changed + self.unchanged

    @property
    def incomplete(self) -> bool:
        """Whether the catalogue may not be what the source is: something was not looked at, or not believed."""
        return bool(self.kept or self.refusal or any(entry.unread for entry in self.refused))
