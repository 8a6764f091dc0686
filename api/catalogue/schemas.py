"""What the facade shows of the catalogue."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas import Money
from models.catalogue_search import Facet
from models.orderability import NotOrderable
from models.pricing import PriceUnit
from models.status_facts import ItemStatus


class ProductPublic(BaseModel):
    """A product of the catalogue."""

    sku: str
    name: str
    unit_price: Money
    currency: str
    price_unit: PriceUnit
    objects: int
    files: int
    bytes: int


class ProductsPublic(BaseModel):
    """A page of the products; `next_cursor` leads to the next one."""

    items: list[ProductPublic]
    next_cursor: str | None


class ObjectPublic(BaseModel):
    """An object of a product."""

    id: UUID
    name: str
    files: int
    bytes: int


class ObjectsPublic(BaseModel):
    """A page of objects; `next_cursor` leads to the next one."""

    items: list[ObjectPublic]
    next_cursor: str | None


class OrderOfObject(BaseModel):
    """Your own order of an object: the newest that has not come to nothing."""

    id: UUID
    number: str
    status: ItemStatus


class ObjectHit(BaseModel):
    """An object that was found."""

    id: UUID
    name: str
    title: str
    product: str
    begins_at: datetime
    ends_at: datetime
    bbox: list[float] | None
    files: int
    bytes: int
    kinds: list[str]
    tiers: list[str]
    orderable: bool
    not_orderable: NotOrderable | None = Field(description="Why not.")
    order: OrderOfObject | None


class ObjectDetail(ObjectHit):
    """An object with its footprint and properties."""

    geometry: dict[str, Any] | None
    properties: dict[str, Any]
    files_url: str


class FacetValue(BaseModel):
    """How many objects have a value."""

    value: str
    objects: int


class FoundObjects(BaseModel):
    """A page of what was found. With `facets` all matches are counted; where `total_capped` the first of them only."""

    items: list[ObjectHit]
    next_cursor: str | None
    total: int | None = None
    total_bytes: int | None = None
    total_capped: bool | None = None
    facets: dict[Facet, list[FacetValue]] | None = None


class CatalogueFilePublic(BaseModel):
    """A file of an object."""

    id: UUID
    name: str
    size: int
    media_type: str
    kind: str
    tier: str
    sha256: str | None


class CatalogueFilesPublic(BaseModel):
    """A page of the files of an object; `next_cursor` leads to the next one."""

    items: list[CatalogueFilePublic]
    next_cursor: str | None
