"""Queries of carts: what is in them, and how they are changed."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from models.queries.access import open_to
from models.tables import (
    Cart,
    CartFile,
    CartObject,
    CartPart,
    CartProduct,
    CartSelection,
    CartVersion,
    CatalogueFile,
    CatalogueObject,
    Product,
)

VERSIONS_KEPT: Final = 50
"""How many versions back a cart can tell what has changed since."""


def cart_of(customer: str) -> sa.Select[Cart]:
    """Somebody's cart."""
    return sa.select(Cart).where(col(Cart.customer) == customer)


def new_cart(customer: str) -> sa.Insert:
    """Give somebody a cart who has none."""
    return insert(Cart).values(customer=customer).on_conflict_do_nothing()


def selections_counted(customer: str) -> sa.Select[int]:
    """How many selections somebody's cart has."""
    join = sa.join(CartSelection, Cart, col(Cart.id) == col(CartSelection.cart_id))
    return sa.select(sa.func.count()).select_from(join).where(col(Cart.customer) == customer)


def selections_in(cart: int) -> sa.Select[CartSelection]:
    """What a cart was filled with, in that order."""
    return sa.select(CartSelection).where(col(CartSelection.cart_id) == cart).order_by(col(CartSelection.number))


def products_in(cart: int, groups: Collection[str] | None) -> sa.Select[CartProduct, Product]:
    """What a cart holds of products, by SKU, and each product; None where it is gone, or closed to the groups."""
    same = sa.and_(col(Product.id) == col(CartProduct.product_id), open_to(groups))
    query = sa.select(CartProduct, Product).outerjoin(Product, same).where(col(CartProduct.cart_id) == cart)
    return query.order_by(col(CartProduct.sku)).execution_options(populate_existing=True)


def product_in(cart: int, sku: str) -> sa.Select[CartProduct]:
    """What a cart holds of a product."""
    return sa.select(CartProduct).where(col(CartProduct.cart_id) == cart, col(CartProduct.sku) == sku)


def parts_in(cart: int) -> sa.Select[CartPart]:
    """What selections hold of products."""
    query = sa.select(CartPart).where(col(CartPart.cart_id) == cart)
    return query.order_by(col(CartPart.selection)).execution_options(populate_existing=True)


_PRODUCTS: Final = """
    SELECT product_id FROM cart_objects WHERE cart_id = :cart AND selection = :selection
    UNION SELECT product_id FROM cart_files WHERE cart_id = :cart AND selection = :selection
"""
PRODUCTS_OF_SELECTION: Final = sa.text(_PRODUCTS)
"""The products that a selection holds something of."""

# Totals of nothing are never out of date.
TAKE_PRODUCTS: Final = sa.text(f"""
    INSERT INTO cart_products (cart_id, product_id, sku, name, revision)
    SELECT :cart, p.id, p.sku, p.name, p.revision FROM products p WHERE p.id IN ({_PRODUCTS})
    ON CONFLICT (cart_id, product_id) DO UPDATE SET sku = excluded.sku, name = excluded.name
""")  # noqa: S608
"""Note the products of a selection."""


def held_in(cart: int) -> sa.Select[int]:
    """How many objects and single files the selections of a cart hold, each as often as a selection holds it."""
    objects = sa.select(sa.func.count()).select_from(CartObject).where(col(CartObject.cart_id) == cart)
    files = sa.select(sa.func.count()).select_from(CartFile).where(col(CartFile.cart_id) == cart)
    return sa.select(objects.scalar_subquery() + files.scalar_subquery())


def remove_selection(cart: int, number: int) -> Sequence[sa.Delete]:
    """Remove a selection and what it holds."""
    return [
        sa.delete(table).where(cart_id == cart, selection == number)
        for table, cart_id, selection in (
            (CartObject, col(CartObject.cart_id), col(CartObject.selection)),
            (CartFile, col(CartFile.cart_id), col(CartFile.selection)),
            (CartPart, col(CartPart.cart_id), col(CartPart.selection)),
            (CartSelection, col(CartSelection.cart_id), col(CartSelection.number)),
        )
    ]


def remove_product(cart: int, product: int) -> Sequence[sa.Delete]:
    """Remove what a cart holds of a product."""
    return [
        sa.delete(table).where(cart_id == cart, product_id == product)
        for table, cart_id, product_id in (
            (CartObject, col(CartObject.cart_id), col(CartObject.product_id)),
            (CartFile, col(CartFile.cart_id), col(CartFile.product_id)),
            (CartPart, col(CartPart.cart_id), col(CartPart.product_id)),
            (CartProduct, col(CartProduct.cart_id), col(CartProduct.product_id)),
        )
    ]


def clear(cart: int) -> Sequence[sa.Delete]:
    """Remove all that a cart holds."""
    return [
        sa.delete(table).where(cart_id == cart)
        for table, cart_id in (
            (CartObject, col(CartObject.cart_id)),
            (CartFile, col(CartFile.cart_id)),
            (CartPart, col(CartPart.cart_id)),
            (CartProduct, col(CartProduct.cart_id)),
            (CartSelection, col(CartSelection.cart_id)),
        )
    ]


REMOVE_EMPTY_PRODUCTS: Final = sa.text("""
    DELETE FROM cart_products p WHERE cart_id = :cart
        AND NOT EXISTS (SELECT FROM cart_objects o WHERE (o.cart_id, o.product_id) = (p.cart_id, p.product_id))
        AND NOT EXISTS (SELECT FROM cart_files f WHERE (f.cart_id, f.product_id) = (p.cart_id, p.product_id))
""")
"""Remove products that no selection holds anything of."""

REMOVE_EMPTY_SELECTIONS: Final = sa.text("""
    DELETE FROM cart_selections s WHERE cart_id = :cart
        AND NOT EXISTS (SELECT FROM cart_parts p WHERE (p.cart_id, p.selection) = (s.cart_id, s.number))
""")
"""Remove selections that hold nothing, once their parts are counted."""


def seen_in(cart: int, version: int) -> sa.Select[dict[str, Any]]:
    """What a cart looked like in a version."""
    query = sa.select(col(CartVersion.seen)).where(col(CartVersion.cart_id) == cart)
    return query.where(col(CartVersion.version) == version)


def single_files_in(cart: int) -> sa.Select[int, UUID, UUID, str]:
    """The single files in a cart that no selection holds with their whole object: product, object, file and name."""
    whole = sa.exists().where(
        col(CartObject.cart_id) == col(CartFile.cart_id),
        col(CartObject.product_id) == col(CartFile.product_id),
        col(CartObject.object_id) == col(CartFile.object_id),
    )
    name = col(CatalogueObject.name) + "/" + col(CatalogueFile.name)
    return (
        sa.select(col(CartFile.product_id), col(CartFile.object_id), col(CartFile.file_id), name)
        .join(CatalogueFile, col(CatalogueFile.id) == col(CartFile.file_id))
        .join(CatalogueObject, col(CatalogueObject.id) == col(CatalogueFile.object_id))
        .where(col(CartFile.cart_id) == cart, ~whole)
        .distinct()
    )


def forget_versions(cart: int, version: int) -> sa.Delete:
    """Forget what a cart looked like long before a version."""
    old = col(CartVersion.version) <= version - VERSIONS_KEPT
    return sa.delete(CartVersion).where(col(CartVersion.cart_id) == cart, old)
