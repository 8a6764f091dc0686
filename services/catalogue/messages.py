"""What an import is asked to do and what it answers."""

from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from models.text import checked

MAX_NAME_CHARACTERS = 200


Name = Annotated[str, AfterValidator(partial(checked, limit=MAX_NAME_CHARACTERS))]
Currency = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern="^[A-Za-z]{3}$")]


class ImportOptions(BaseModel):
    """What the operator decides; what is left out comes from the source, or stays as the catalogue has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: Name | None = None
    name: Name | None = None
    price: Decimal | None = Field(default=None, ge=0, max_digits=12, decimal_places=2)
    currency: Currency | None = None
    groups: tuple[Name, ...] | None = None


class SkippedEntry(BaseModel):
    """Something of the source that did not get into the catalogue, and the reason."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    what: str
    why: str


class ChecksumReport(BaseModel):
    """What reading a product's files ahead came to; `files` are those whose checksums are known now and were not."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: str
    files: int
    size_bytes: int
    refused: tuple[SkippedEntry, ...] = ()


class ImportReport(BaseModel):
    """What an import did to one product, counted in files; `absent` where there was nothing to make one from.

    `objects_changed` are those known before whose footprint, time or properties are others now.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: str
    name: str
    location: str
    product: Literal["added", "changed", "unchanged", "absent"]
    objects: int = 0
    objects_changed: int = 0
    size_bytes: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    refused: tuple[SkippedEntry, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """The files the product has after the import."""
        return self.added + self.changed + self.unchanged
