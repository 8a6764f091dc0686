"""The tables of PostgreSQL, which hold the catalogue and project what the order workflows own."""

from models.tables.base import metadata
from models.tables.catalogue import CatalogueFile, CatalogueObject, Product
from models.tables.coverage import ArchiveCoverage, FileCoverage, Notice
from models.tables.orders import Download, Order, OrderFile, OrderItem, OrderSelection, Payment, SubOrder, TimelineRow

__all__ = [
    "ArchiveCoverage",
    "CatalogueFile",
    "CatalogueObject",
    "Download",
    "FileCoverage",
    "Notice",
    "Order",
    "OrderFile",
    "OrderItem",
    "OrderSelection",
    "Payment",
    "Product",
    "SubOrder",
    "TimelineRow",
    "metadata",
]
