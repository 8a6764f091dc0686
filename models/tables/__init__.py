"""The tables of PostgreSQL, which hold the catalogue and project what the order workflows own."""

from models.tables.base import metadata
from models.tables.catalogue import CatalogueFile, CatalogueObject, Product
from models.tables.counting import OrderCount
from models.tables.orders import Download, Order, OrderFile, OrderItem, OrderSelection, Payment, SubOrder, TimelineRow

__all__ = [
    "CatalogueFile",
    "CatalogueObject",
    "Download",
    "Order",
    "OrderCount",
    "OrderFile",
    "OrderItem",
    "OrderSelection",
    "Payment",
    "Product",
    "SubOrder",
    "TimelineRow",
    "metadata",
]
