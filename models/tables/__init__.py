"""The tables of PostgreSQL, which hold the catalogue and project what the order workflows own."""

from models.tables.base import metadata
from models.tables.catalogue import CatalogueFile, CatalogueObject, Product
from models.tables.orders import Download, Order, OrderFile, OrderItem, OrderSelection, Payment, SubOrder, TimelineRow
from models.tables.people import AccessToken, Person, Session

__all__ = [
    "AccessToken",
    "CatalogueFile",
    "CatalogueObject",
    "Download",
    "Order",
    "OrderFile",
    "OrderItem",
    "OrderSelection",
    "Payment",
    "Person",
    "Product",
    "Session",
    "SubOrder",
    "TimelineRow",
    "metadata",
]
