"""What the facade shows of the catalogue."""

from uuid import UUID

from pydantic import BaseModel

from api.schemas import Money


class ProductPublic(BaseModel):
    """A product of the catalogue."""

    sku: str
    name: str
    unit_price: Money
    currency: str
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
