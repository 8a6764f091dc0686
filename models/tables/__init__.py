"""The tables of PostgreSQL, which hold the catalogue and project what the order workflows own."""

from models.tables.acts import AdminAct
from models.tables.annotations import Note, NoteWording
from models.tables.base import metadata
from models.tables.bulk import Bulk, BulkItem
from models.tables.catalogue import (
    CatalogueFile,
    CatalogueObject,
    KnownFile,
    Product,
    WithdrawnFile,
    WithdrawnObject,
    WithdrawnProduct,
)
from models.tables.coverage import ArchiveCoverage, FileCoverage, OutboxEvent
from models.tables.destinations import Delivery, Destination
from models.tables.idempotency import IdempotencyKey
from models.tables.order_counts import OrderCount
from models.tables.orders import (
    Blocker,
    Download,
    Order,
    OrderFile,
    OrderFolder,
    OrderItem,
    OrderSelection,
    Payment,
    SubOrder,
    TimelineRow,
)
from models.tables.users import AccessToken, Session, User
from models.tables.views import SavedView

__all__ = [
    "AccessToken",
    "AdminAct",
    "ArchiveCoverage",
    "Blocker",
    "Bulk",
    "BulkItem",
    "CatalogueFile",
    "CatalogueObject",
    "Delivery",
    "Destination",
    "Download",
    "FileCoverage",
    "IdempotencyKey",
    "KnownFile",
    "Note",
    "NoteWording",
    "Order",
    "OrderCount",
    "OrderFile",
    "OrderFolder",
    "OrderItem",
    "OrderSelection",
    "OutboxEvent",
    "Payment",
    "Product",
    "SavedView",
    "Session",
    "SubOrder",
    "TimelineRow",
    "User",
    "WithdrawnFile",
    "WithdrawnObject",
    "WithdrawnProduct",
    "metadata",
]
