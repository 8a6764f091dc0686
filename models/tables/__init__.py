"""The tables of PostgreSQL, which hold the catalogue and project what the order workflows own."""

from models.tables.base import metadata
from models.tables.catalogue import CatalogueFile, CatalogueObject, Product
from models.tables.orders import Order, OrderFile, OrderItem, OrderSelection, SubOrder, TimelineRow

__all__ = [
    "CatalogueFile",
    "CatalogueObject",
    "Order",
    "OrderFile",
    "OrderItem",
    "OrderSelection",
    "Product",
    "SubOrder",
    "TimelineRow",
    "metadata",
]
