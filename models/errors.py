"""What can go wrong, in words: refusals (what was asked cannot be) and failures (the work could not be done).

DomainError
├── Refusal                 answered at once, loses nothing; `api.problems` gives each its HTTP status
│   ├── NotFound
│   ├── IllegalTransition
│   ├── InvalidOrder        carries every fault, not the first
│   ├── InvalidDestination  carries every fault too
│   ├── InvalidBulk         so does this
│   ├── SelectionChanged
│   ├── BulkIsOver
│   ├── KeyReused
│   ├── LabelTaken
│   ├── NameTaken
│   ├── ViewTaken
│   ├── KeyInFlight         another request with the same idempotency key is being answered
│   ├── KeyReused           an idempotency key that was for something else
│   ├── QuotaExceeded       carries every limit it goes beyond
│   ├── TooManyRequests
│   ├── TooManyDownloads
│   ├── CommandPending      carries whether it was accepted
│   ├── NotReady
│   ├── Gone
│   ├── FileFailed           carries the failure's code
│   ├── PreconditionFailed
│   ├── LinkRefused
│   ├── LinksUnavailable
│   ├── Unauthenticated     nobody we know is asking
│   ├── Forbidden           somebody we know, who may not
│   ├── InsufficientScope   somebody who may, with a token that is not for it
│   ├── CrossSite           a browser that another site has sent
│   └── IdentityAway
└── Failed                  carries a Failure: category, stable code, sentence, retryable or not
"""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class FailureCategory(StrEnum):
    """Who has to act: make room, mend the archive or its catalogue, or wait for the machines."""

    CAPACITY = "capacity"
    CONFIGURATION = "configuration"
    INFRASTRUCTURE = "infrastructure"


class FailureCode(StrEnum):
    """The stable codes of failures; never renamed, for scripts and filters depend on them."""

    UNKNOWN_ID = "unknown_id"
    CATALOGUE_CHANGED = "catalogue_changed"
    NOTHING_TO_ORDER = "nothing_to_order"
    SOURCE_MISSING = "source_missing"
    SOURCE_CHANGED = "source_changed"
    SOURCE_FORBIDDEN = "source_forbidden"
    SIZE_MISMATCH = "size_mismatch"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    DISK_FULL = "disk_full"
    TOO_MANY_OPEN_FILES = "too_many_open_files"
    OUT_OF_MEMORY = "out_of_memory"
    SOURCE_UNAVAILABLE = "source_unavailable"
    DESTINATION_REFUSED = "destination_refused"
    DESTINATION_FULL = "destination_full"
    DESTINATION_UNAVAILABLE = "destination_unavailable"
    DATABASE_UNAVAILABLE = "database_unavailable"
    TIMED_OUT = "timed_out"
    WORKER_LOST = "worker_lost"
    INTERNAL = "internal"


DESTINATION_FAILURES = frozenset(
    {FailureCode.DESTINATION_REFUSED, FailureCode.DESTINATION_FULL, FailureCode.DESTINATION_UNAVAILABLE}
)
"""What can go wrong at a customer's destination; no file of an order ever fails by it."""

_CAPACITY = {
    FailureCode.DISK_FULL,
    FailureCode.TOO_MANY_OPEN_FILES,
    FailureCode.OUT_OF_MEMORY,
    FailureCode.DESTINATION_FULL,
}
_INFRASTRUCTURE = {
    FailureCode.SOURCE_UNAVAILABLE,
    FailureCode.DESTINATION_UNAVAILABLE,
    FailureCode.DATABASE_UNAVAILABLE,
    FailureCode.TIMED_OUT,
    FailureCode.WORKER_LOST,
    FailureCode.INTERNAL,
}


def category_of(code: FailureCode) -> FailureCategory:
    """The category of a failure code."""
    if code in _CAPACITY:
        return FailureCategory.CAPACITY
    if code in _INFRASTRUCTURE:
        return FailureCategory.INFRASTRUCTURE
    return FailureCategory.CONFIGURATION


class Failure(BaseModel):
    """Why something could not be done, fit to be shown to a person and kept on the timeline."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: FailureCode
    text: str

    @property
    def category(self) -> FailureCategory:
        """Who has to act."""
        return category_of(self.code)

    @property
    def retryable(self) -> bool:
        """Whether trying again may succeed without anybody's help."""
        return self.category is not FailureCategory.CONFIGURATION


class Hint(StrEnum):
    """Where a remedy is found; each client says in its own way how to get there."""

    LIST_PRODUCTS = "list_products"
    LIST_OBJECTS = "list_objects"
    LIST_DESTINATIONS = "list_destinations"
    LIST_LINKS = "list_links"


class Fault(BaseModel):
    """One thing wrong with a request: its field, a stable code, a sentence."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    field: str
    code: str
    text: str
    hint: Hint | None = Field(default=None, exclude=True)
    """For the words of a client only; it is part of no payload, row or answer."""


class DomainError(Exception):
    """The root of everything Consignor itself raises; `str()` is a sentence for a person."""


class Refusal(DomainError):
    """A request that cannot be granted; nothing has changed."""

    code: str = "refused"
    hint: Hint | None = None


class NotFound(Refusal):
    """There is no such thing, or it is somebody else's."""

    code = "not_found"

    def __init__(self, noun: str, key: object) -> None:
        super().__init__(f"there is no {noun} {key}")


class IllegalTransition(Refusal):
    """The lifecycle table forbids this command in this status."""

    code = "illegal_transition"

    def __init__(self, command: str, status: str, allowed: Iterable[str]) -> None:
        self.command, self.status, self.allowed = str(command), str(status), sorted(map(str, allowed))
        super().__init__(f"cannot {self.command} an order that is {self.status}")


class InvalidOrder(Refusal):
    """An order that cannot be accepted, with every fault at once."""

    code = "invalid_order"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.text for fault in self.faults))


class InvalidDestination(Refusal):
    """A destination that cannot be saved, with every fault at once."""

    code = "invalid_destination"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.text for fault in self.faults))


class InvalidBulk(Refusal):
    """A bulk that cannot be accepted, with every fault at once."""

    code = "invalid_bulk"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.text for fault in self.faults))


class SelectionChanged(Refusal):
    """A bulk would have another number of orders than its caller expects."""

    code = "selection_changed"

    def __init__(self, expected: int, found: int) -> None:
        self.expected, self.found = expected, found
        super().__init__(f"you expect {expected} orders, and now there are {found}; look again, nothing was done")


class BulkIsOver(Refusal):
    """A bulk that has ended cannot be cancelled."""

    code = "bulk_is_over"

    def __init__(self) -> None:
        super().__init__("this bulk has come to its end; what it did to each order stays")


class InvalidCursor(Refusal):
    """A cursor that is none of ours; `field` is the parameter it came in."""

    code = "invalid_cursor"

    def __init__(self, field: str = "cursor", source: str = "`next_cursor`") -> None:
        super().__init__(f"this is no {field} of ours; take {source} of the last page, or leave it out")
        self.field = field


class NotExtended(Refusal):
    """The end of an order's life cannot be moved there."""

    code = "not_extended"


class TemporalAway(Refusal):
    """Commands need Temporal, and it does not answer; nothing has changed."""

    code = "temporal_unavailable"

    def __init__(self) -> None:
        super().__init__("Temporal or its workers do not answer; try again soon")


class CommandPending(Refusal):
    """A command has been handed over, and how it went is not known yet; `accepted` tells whether it will be done."""

    code = "command_pending"

    def __init__(self, *, accepted: bool) -> None:
        super().__init__(
            "The order has accepted the command and is still carrying it out; look at it again soon."
            if accepted
            else "No worker has taken the command yet. It may still be carried out: look at the order before you "
            "repeat it, or repeat it with the same Idempotency-Key."
        )
        self.accepted = accepted


class PaymentRefused(Refusal):
    """A payment message that is not believed or does not fit; it has been recorded."""

    code = "payment_refused"


class LabelTaken(Refusal):
    """The customer already has an order of this label."""

    code = "label_taken"

    def __init__(self, label: str) -> None:
        self.label = label
        super().__init__(f"you already have an order labelled “{label}”; choose another label")


class NameTaken(Refusal):
    """The customer already has a destination of this name."""

    code = "name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"you already have a destination called {name}; choose another name, or remove that one")


class ViewTaken(Refusal):
    """The caller already has a view of this name."""

    code = "view_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"you already have a view called {name}; choose another name, or change that one")


class KeyInFlight(Refusal):
    """Another request with this idempotency key is being answered."""

    code = "idempotency_key_in_flight"

    def __init__(self) -> None:
        super().__init__("a request with this Idempotency-Key is being answered; send the same again in a moment")


class KeyReused(Refusal):
    """An idempotency key that was used for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used for another request; a new request needs a new key")


class QuotaExceeded(Refusal):
    """More than the customer may have; the faults carry the figures."""

    code = "quota_exceeded"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.text for fault in self.faults))


class TooManyRequests(Refusal):
    """The caller asks more often than allowed; `retry_after` in seconds."""

    code = "too_many_requests"

    def __init__(self, limit: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"you may send {limit}; wait {retry_after} s")


class TooManyDownloads(Refusal):
    """The customer has as many downloads under way as they may; download tools wait for one to end."""

    code = "too_many_downloads"

    def __init__(self, limit: int) -> None:
        self.retry_after = 5
        super().__init__(f"you may have {limit} downloads under way at a time; wait until one ends")


class NotReady(Refusal):
    """It will be there later; `retry_after` says in how many seconds to ask again."""

    code = "not_ready"

    def __init__(self, text: str, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(text)


class Gone(Refusal):
    """It was there and is not any more."""

    code = "gone"


class FileFailed(Refusal):
    """A file that was ordered and cannot be had; its code is that of the failure, as the archive's notice says it."""

    code = "file_failed"

    def __init__(self, failure: Failure) -> None:
        self.code = str(failure.code)
        super().__init__(failure.text)


class PreconditionFailed(Refusal):
    """What is here is not what the request was meant for (RFC 9110, section 13)."""

    code = "precondition_failed"

    def __init__(self) -> None:
        super().__init__("what is here now is not the version that If-Match or If-Unmodified-Since names")


class LinkRefused(Refusal):
    """A signed link that was made for something else, or by nobody."""

    code = "link_refused"
    hint = Hint.LIST_LINKS

    def __init__(self) -> None:
        super().__init__("this link does not open what it points to; get a new one")


class LinksUnavailable(Refusal):
    """No key is set to sign links with."""

    code = "links_unavailable"

    def __init__(self) -> None:
        super().__init__("links cannot be signed here: whoever runs this has to set CONSIGNOR_LINK_KEYS")


class Unauthenticated(Refusal):
    """Nobody we know is asking; `presented` says that something was shown which does not hold."""

    code = "unauthenticated"

    def __init__(self, text: str, *, presented: bool = True) -> None:
        self.presented = presented
        super().__init__(text)


class Forbidden(Refusal):
    """The caller's roles do not allow it."""

    code = "forbidden"

    def __init__(self, what: str, roles: Iterable[str]) -> None:
        super().__init__(f"your roles do not allow this ({what}); it takes {' or '.join(roles)}")


class InsufficientScope(Refusal):
    """The caller might, but not with this access token; `scopes` names those of which one would do."""

    code = "insufficient_scope"

    def __init__(self, scopes: Iterable[str]) -> None:
        self.scopes = [str(scope) for scope in scopes]
        remedy = f"make one with the scope {' or '.join(self.scopes)}" if self.scopes else "sign in instead"
        super().__init__(f"this access token is not for that; {remedy}")


class CrossSite(Refusal):
    """A request that carries a session cookie and may come from another site."""

    code = "cross_site"


class IdentityAway(Refusal):
    """The issuer's keys are needed and cannot be had; nothing has changed."""

    code = "identity_unavailable"

    def __init__(self) -> None:
        super().__init__("the identity provider does not answer; try again soon")


class Failed(DomainError):
    """Raised where the work could not be done; carries the failure that is recorded."""

    def __init__(self, code: FailureCode, text: str) -> None:
        self.failure = Failure(code=code, text=text)
        super().__init__(text)
