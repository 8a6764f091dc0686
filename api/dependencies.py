"""The container of what the routes work with.

Rooms whose parts it holds (http, identity, events, operations) must not import it; they state what they take of it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from secrets import token_bytes
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from api.events.hub import Hub
from api.http.container import services
from api.http.cursors import Cursors
from api.http.limiting import AtATime, Ceiling, RequestRate
from api.identity.authenticate import (
    AnnotatorDep,
    CallerDep,
    CatalogueManagerDep,
    PriceManagerDep,
    PriceReaderDep,
    ReaderDep,
    TokenOwnerDep,
)
from api.identity.oidc import OpenIdConnect
from api.identity.rights import LOOK_AGAIN_AFTER
from api.operations.state import Operations
from database.known_askers import KnownAskers
from models.access import Caller
from models.cors import CorsPolicy
from models.download_urls import named
from models.errors import TooManyDownloads, TooManyExports, TooManyStreams
from models.links import API, LinkKeys, archive_path, metalink_path
from models.metalink import FILES_PER_DOCUMENT, metalink_filename, part_of
from models.naming import archive_filename
from models.queries.catalogue_search import WALK
from models.shop_settings import ShopSettings
from models.tables import Order
from services.shop_settings import effective_settings
from services.storage_check import StorageCheck
from storage.pool import StoragePool
from storage.sources.registry import Sources
from storage.targets.registry import DeliveryTargets

__all__ = [
    "AnnotatorDep",
    "Caller",
    "CallerDep",
    "CatalogueManagerDep",
    "PriceManagerDep",
    "PriceReaderDep",
    "ReaderDep",
    "Services",
    "ServicesDep",
    "TokenOwnerDep",
]

EXPORTS = 4
"""Exports that are made at the same time in one process; each keeps a connection to the database meanwhile."""

LARGE_BODY = AtATime("requests with large bodies")
LARGE_BODIES = 2
"""Requests with large bodies that a customer has under way at the same time; a process has twice as many."""


@dataclass(frozen=True)
class Services:
    """The dependencies of the facade; the composition root makes them."""

    sessions: async_sessionmaker[AsyncSession]
    temporal: Client
    public_url: str
    readers: StoragePool
    """Reads what is downloaded, a block at a time."""
    payment_secrets: tuple[str, ...] = ()
    sources: Sources = field(default_factory=Sources, kw_only=True)
    checks: StoragePool = field(default_factory=partial(StoragePool, "checks", 2), kw_only=True)
    """Looks whether files are there: before an order is taken, and when a download was cut."""
    probes: StoragePool = field(default_factory=partial(StoragePool, "probes", 2), kw_only=True)
    """Tests destinations."""
    delivery_targets: DeliveryTargets = field(default_factory=DeliveryTargets)
    cursor_key: bytes = field(default_factory=partial(token_bytes, 32), repr=False)
    export_slots: CapacityLimiter = field(default_factory=partial(CapacityLimiter, EXPORTS), repr=False)
    link_keys: LinkKeys = LinkKeys()  # noqa: RUF009 - immutable
    stalled_after: float = 300.0
    """Seconds after which a client that takes nothing of a download is cut off."""
    first_byte_timeout: float = 4.0
    """Seconds a storage has for the first bytes of a download; later it counts as unavailable."""
    identity: OpenIdConnect = field(kw_only=True)
    operations: Operations = field(default_factory=Operations)
    shop: ShopSettings = field(default_factory=ShopSettings)
    """The shop's settings as far as the environment sets them; what holds of all is asked of `shop_settings`."""
    files_per_metalink: int = FILES_PER_DOCUMENT
    catalogue_walk: int = WALK
    """How many objects a search of the catalogue looks through before it turns to the indexes of place and time."""
    cors: CorsPolicy = CorsPolicy()  # noqa: RUF009 - immutable
    """Whose pages may ask."""
    look_again_after: float = LOOK_AGAIN_AFTER
    """Seconds after which it is asked whether somebody still may have what they get."""
    rate: RequestRate = field(default_factory=RequestRate)
    askers: KnownAskers = field(default_factory=KnownAskers, repr=False)
    downloads: Ceiling = field(default_factory=partial(Ceiling, TooManyDownloads))
    exports: Ceiling = field(default_factory=partial(Ceiling, TooManyExports))
    streams: Ceiling = field(default_factory=partial(Ceiling, TooManyStreams))
    large_bodies: Ceiling = field(default_factory=partial(Ceiling, LARGE_BODY, LARGE_BODIES, 2 * LARGE_BODIES))

    def archive_name(self, order: Order, part: int) -> str:
        """The name of an archive, the same wherever it is delivered, downloaded or linked to."""
        return archive_filename(order.number, order.label, part, self.delivery_targets.filename)

    @property
    def storage_check(self) -> StorageCheck:
        """How the files of an order are checked before it costs anything."""
        return StorageCheck(self.sources, self.checks)

    async def shop_settings(self, session: AsyncSession) -> ShopSettings:
        """The shop's settings that hold now."""
        return (await effective_settings(session, self.shop)).values

    def archive_url(self, order: Order, part: int) -> str:
        """Where an archive is for those who may see the order."""
        return f"{self.public_url}{API}/{named(archive_path(order.id, part), self.archive_name(order, part))}"

    def metalink_path(self, order: Order, version: int, part: int = 1) -> str:
        """Where a Metalink of an order is, below the root of the API, with its name."""
        count = part_of(order.files_total, self.files_per_metalink)
        name = metalink_filename(order.number, version, part, count)
        return named(metalink_path(order.id, version=version), name, part if part > 1 else None)

    @property
    def hub(self) -> Hub:
        """The stream of all changes."""
        return self.operations.hub

    def now(self) -> datetime:
        """The present instant; the one clock of the facade."""
        return datetime.now(UTC)

    def cursors(self, caller: "Caller", what: str) -> Cursors:
        """The cursors of one of a caller's lists; `what` distinguishes it from all others."""
        return Cursors(self.cursor_key, f"{caller.actor}\n{caller.visibility.customer!r}\n{what}")


ServicesDep = Annotated[Services, Depends(services)]
