"""Which products are open to whom."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.access import Permission, roles_with
from models.tables import Order, OrderItem, Product, User


def open_to(groups: Collection[str] | None) -> sa.ColumnElement[bool]:
    """A product without groups is open to everybody who has signed in, others to their groups; None: every product."""
    if groups is None:
        return sa.true()
    return sa.or_(_public(), col(Product.access_groups).op("&&")(sa.literal(sorted(groups), ARRAY(sa.Text))))


def closed_products(order_id: object) -> sa.Select[str]:
    """The SKUs of an order that are not open to its customer, or not any more."""
    operators = sa.literal([str(role) for role in roles_with(Permission.READ_ALL)], ARRAY(sa.Text))
    admitted = sa.exists().where(
        col(User.id) == col(Order.customer),
        sa.or_(
            col(User.groups).op("&&")(col(Product.access_groups)),
            col(User.roles).op("&&")(operators),
        ),
    )
    return (
        sa.select(col(Product.sku))
        .join(OrderItem, col(OrderItem.product_id) == col(Product.id))
        .join(Order, col(Order.id) == col(OrderItem.order_id))
        .where(col(Order.id) == order_id, ~_public(), ~admitted)
        .order_by(col(OrderItem.position))
    )


def _public() -> sa.ColumnElement[bool]:
    return sa.func.cardinality(col(Product.access_groups)) == 0
