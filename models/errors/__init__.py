"""What can go wrong, in words: refusals (what was asked cannot be) and failures (the work could not be done).

Imported from here; each module holds the errors of one subject.
"""

from models.errors.base import DomainError, Fault, Hint, NotFound, Refusal, RefusalWithFaults
from models.errors.bulks import BulkIsOver, InvalidBulk, SelectionChanged
from models.errors.cart import CartChanged, NothingAdded
from models.errors.catalogue import InvalidProduct, SourceUnreadable
from models.errors.deliveries import InvalidDestination, NameTaken, TooManyTests
from models.errors.downloads import FileFailed, Gone, LinkRefused, LinksUnavailable, NotReady
from models.errors.failures import (
    DESTINATION_FAILURES,
    FILE_FAILURES,
    Failed,
    Failure,
    FailureCategory,
    FailureCode,
    category_of,
)
from models.errors.identity import CrossSite, Forbidden, IdentityProviderUnavailable, InsufficientScope, Unauthenticated
from models.errors.orders import (
    CommandPending,
    IllegalTransition,
    InvalidOrder,
    LabelTaken,
    NotExtended,
    NotInvoiced,
    PaymentRefused,
    QuotaExceeded,
    TemporalUnavailable,
    ViewTaken,
)
from models.errors.prices import InvalidPrice
from models.errors.requests import (
    InvalidCursor,
    KeyInFlight,
    KeyReused,
    PreconditionFailed,
    ServerBusy,
    TooManyDownloads,
    TooManyExports,
    TooManyRequests,
    TooManyStreams,
)
from models.errors.settings import InvalidSettings

__all__ = [
    "DESTINATION_FAILURES",
    "FILE_FAILURES",
    "BulkIsOver",
    "CartChanged",
    "CommandPending",
    "CrossSite",
    "DomainError",
    "Failed",
    "Failure",
    "FailureCategory",
    "FailureCode",
    "Fault",
    "FileFailed",
    "Forbidden",
    "Gone",
    "Hint",
    "IdentityProviderUnavailable",
    "IllegalTransition",
    "InsufficientScope",
    "InvalidBulk",
    "InvalidCursor",
    "InvalidDestination",
    "InvalidOrder",
    "InvalidPrice",
    "InvalidProduct",
    "InvalidSettings",
    "KeyInFlight",
    "KeyReused",
    "LabelTaken",
    "LinkRefused",
    "LinksUnavailable",
    "NameTaken",
    "NotExtended",
    "NotFound",
    "NotInvoiced",
    "NotReady",
    "NothingAdded",
    "PaymentRefused",
    "PreconditionFailed",
    "QuotaExceeded",
    "Refusal",
    "RefusalWithFaults",
    "SelectionChanged",
    "ServerBusy",
    "SourceUnreadable",
    "TemporalUnavailable",
    "TooManyDownloads",
    "TooManyExports",
    "TooManyRequests",
    "TooManyStreams",
    "TooManyTests",
    "Unauthenticated",
    "ViewTaken",
    "category_of",
]
