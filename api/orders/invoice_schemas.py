"""An invoice of an order, from what the order has kept since it was placed."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from api.orders.presenting import item_public, price_public
from api.orders.schemas import OrderItemPublic, PricePublic
from api.schemas import Money
from models.pricing import written
from models.tables import Order, OrderItem


class InvoiceLine(BaseModel):
    """What was ordered of one product; what it costs is null where the whole order is free."""

    product: str
    name: str
    configuration: str
    billed_quantity: str
    price_unit: str
    unit_price: Money | None
    line_total: Money | None


class InvoicePrice(PricePublic):
    """What all of it costs."""

    total_price: Money
    currency: str


class InvoicePublic(BaseModel):
    """An invoice; `price` is null where the order is free."""

    number: str
    label: str
    status: str
    ordered_at: datetime
    customer: str
    items: list[InvoiceLine]
    price: InvoicePrice | None


def invoice_public(order: Order, items: Sequence[OrderItem], customer: str) -> InvoicePublic:
    """The invoice of an order; `customer` is how they are called."""
    is_free = order.kept_subtotal == 0 and order.total_price == 0
    lines = [_line(item_public(item, order.currency), is_free=is_free) for item in items]
    price = price_public(order) | {"currency": order.currency}
    return InvoicePublic(
        number=order.number,
        label=order.label,
        status=order.status,
        ordered_at=order.created_at,
        customer=customer,
        items=lines,
        price=None if is_free else InvoicePrice(**price, total_price=written(order.total_price, order.currency)),
    )


def _line(item: OrderItemPublic, *, is_free: bool) -> InvoiceLine:
    shown = item.model_dump(include=set(InvoiceLine.model_fields))
    return InvoiceLine(**shown | ({"unit_price": None, "line_total": None} if is_free else {}))
