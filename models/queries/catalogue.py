"""Queries for the catalogue."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.queries.access import open_to
from models.queries.listing import contains
from models.queries.selections import ORDERABLE
from models.tables import CatalogueFile, CatalogueObject, ObjectCount, Product
from models.tables.catalogue import LANGUAGES

_TITLES, _DESCRIPTIONS = (Product.__table__.c[name] for name in ("titles", "descriptions"))  # type: ignore[attr-defined]

# Objects, files and bytes, from the counts that are kept.
_TOTALS = tuple(
    sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)
    for column in (ObjectCount.objects, ObjectCount.files, ObjectCount.bytes)
)


def products(
    groups: Collection[str] | None, *, after: str, limit: int, words: Collection[str] = ()
) -> sa.Select[*tuple[Any, ...]]:
    """A page of the products that are open to the groups (all, for None) with objects, files and bytes, by SKU."""
    in_languages = (column[language].astext for column in (_TITLES, _DESCRIPTIONS) for language in LANGUAGES)
    texts = (col(Product.sku), col(Product.name), col(Product.description), *in_languages)
    called = sa.func.folded(sa.func.concat_ws("\n", *texts))
    where = (open_to(groups), col(Product.sku) > after, *(contains(called, word) for word in words))
    among = sa.select(col(Product.id)).where(*where).order_by(col(Product.sku)).limit(limit).cte("page")
    return (
        sa.select(Product, *_TOTALS)
        .join(among, among.c.id == col(Product.id))
        .outerjoin(ObjectCount, col(ObjectCount.product_id) == col(Product.id))
        .group_by(col(Product.id))
        .order_by(col(Product.sku))
    )


def totals_of_product(product_id: int) -> sa.Select[*tuple[Any, ...]]:
    """Objects, files and bytes of one product."""
    return sa.select(*_TOTALS).where(col(ObjectCount.product_id) == product_id)


def objects_of_product(product_id: int, *, after: str, limit: int) -> sa.Select[UUID | None, str, int, int]:
    """A page of a product's objects with their files and bytes, by name, behind `after`."""
    o = CatalogueObject
    return (
        sa.select(col(o.id), col(o.name), col(o.files), col(o.bytes))
        .where(col(o.product_id) == product_id, ORDERABLE, col(o.name) > after)
        .order_by(col(o.name))
        .limit(limit)
    )


def files_of_object(
    object_id: UUID, groups: Collection[str] | None, *, after: str, limit: int
) -> sa.Select[CatalogueFile]:
    """A page of the files of an object, by name; none where its product is closed to the groups."""
    return (
        sa.select(CatalogueFile)
        .join(CatalogueObject, col(CatalogueObject.id) == col(CatalogueFile.object_id))
        .join(Product, col(Product.id) == col(CatalogueObject.product_id))
        .where(col(CatalogueFile.object_id) == object_id, open_to(groups), col(CatalogueFile.name) > after)
        .order_by(col(CatalogueFile.name))
        .limit(limit)
    )
