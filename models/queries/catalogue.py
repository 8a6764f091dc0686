"""Queries for the catalogue."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.queries.access import open_to
from models.queries.selections import ORDERABLE
from models.tables import CatalogueFile, CatalogueObject, Product


def products(groups: Collection[str] | None, *, after: str, limit: int) -> sa.Select[Product, int, int, int]:
    """A page of the products that are open to the groups (all, for None) with objects, files and bytes, by SKU."""
    page = sa.select(col(Product.id)).where(open_to(groups), col(Product.sku) > after).order_by(col(Product.sku))
    among = page.limit(limit).cte("page")
    totals = (
        sa.select(
            col(CatalogueObject.product_id).label("product_id"),
            sa.func.count(col(CatalogueObject.id).distinct()).label("objects"),
            sa.func.count(col(CatalogueFile.id)).label("files"),
            sa.cast(sa.func.sum(col(CatalogueFile.size_bytes)), sa.BigInteger).label("bytes"),
        )
        .join(CatalogueFile, col(CatalogueFile.object_id) == col(CatalogueObject.id))
        .where(col(CatalogueObject.product_id).in_(sa.select(among.c.id)), ORDERABLE)
        .group_by(col(CatalogueObject.product_id))
        .subquery()
    )
    return (
        sa.select(
            Product,
            sa.func.coalesce(totals.c.objects, 0),
            sa.func.coalesce(totals.c.files, 0),
            sa.func.coalesce(totals.c.bytes, 0),
        )
        .join(among, among.c.id == col(Product.id))
        .outerjoin(totals, totals.c.product_id == col(Product.id))
        .order_by(col(Product.sku))
    )


def totals_of_product(product_id: int) -> sa.Select[int, int, int]:
    """Objects, files and bytes of one product."""
    return (
        sa.select(
            sa.func.count(col(CatalogueObject.id).distinct()),
            sa.func.count(col(CatalogueFile.id)),
            sa.cast(sa.func.coalesce(sa.func.sum(col(CatalogueFile.size_bytes)), 0), sa.BigInteger),
        )
        .join(CatalogueFile, col(CatalogueFile.object_id) == col(CatalogueObject.id))
        .where(col(CatalogueObject.product_id) == product_id, ORDERABLE)
    )


def objects_of_product(product_id: int, *, after: str, limit: int) -> sa.Select[UUID | None, str, int, int]:
    """A page of a product's objects with their files and bytes, by name, behind `after`."""
    return (
        sa.select(
            col(CatalogueObject.id),
            col(CatalogueObject.name),
            sa.func.count(),
            sa.cast(sa.func.sum(col(CatalogueFile.size_bytes)), sa.BigInteger),
        )
        .join(CatalogueFile, col(CatalogueFile.object_id) == col(CatalogueObject.id))
        .where(col(CatalogueObject.product_id) == product_id, ORDERABLE, col(CatalogueObject.name) > after)
        .group_by(col(CatalogueObject.id))
        .order_by(col(CatalogueObject.name))
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
