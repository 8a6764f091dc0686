"""The tables of PostgreSQL, which hold the catalogue and project what the order workflows own."""

from models.tables.acts import AdminAct
from models.tables.annotations import Note, NoteWording
from models.tables.base import metadata
from models.tables.bulk import Bulk, BulkItem
from models.tables.cart import Cart, CartFile, CartObject, CartPart, CartProduct, CartSelection, CartVersion
from models.tables.catalogue import (
    CatalogueFile,
    CatalogueObject,
    CataloguePage,
    KnownFile,
    ObjectCount,
    Product,
    WithdrawnFile,
    WithdrawnObject,
    WithdrawnProduct,
)
from models.tables.coverage import ArchiveCoverage, FileCoverage, OutboxEvent
from models.tables.destinations import Delivery, Destination
from models.tables.downloads import Download
from models.tables.idempotency import IdempotencyKey
from models.tables.order_counts import OrderCount
from models.tables.orders import (
    Blocker,
    Order,
    OrderFile,
    OrderFolder,
    OrderItem,
    OrderSelection,
    SubOrder,
    TimelineRow,
)
from models.tables.payments import Payment
from models.tables.prices import CouponUse, DiscountTerms, ListPrice, PriceTerms, TaxRateRow
from models.tables.shop import KeptSettings
from models.tables.users import AccessToken, Session, User
from models.tables.views import SavedView

__all__ = [
    "AccessToken",
    "AdminAct",
    "ArchiveCoverage",
    "Blocker",
    "Bulk",
    "BulkItem",
    "Cart",
    "CartFile",
    "CartObject",
    "CartPart",
    "CartProduct",
    "CartSelection",
    "CartVersion",
    "CatalogueFile",
    "CatalogueObject",
    "CataloguePage",
    "CouponUse",
    "Delivery",
    "Destination",
    "DiscountTerms",
    "Download",
    "FileCoverage",
    "IdempotencyKey",
    "KeptSettings",
    "KnownFile",
    "ListPrice",
    "Note",
    "NoteWording",
    "ObjectCount",
    "Order",
    "OrderCount",
    "OrderFile",
    "OrderFolder",
    "OrderItem",
    "OrderSelection",
    "OutboxEvent",
    "Payment",
    "PriceTerms",
    "Product",
    "SavedView",
    "Session",
    "SubOrder",
    "TaxRateRow",
    "TimelineRow",
    "User",
    "WithdrawnFile",
    "WithdrawnObject",
    "WithdrawnProduct",
    "metadata",
]
