"""Failures: work that could not be done, by category and stable code."""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from models.errors.base import DomainError


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
    TOO_MANY_FAILED = "too_many_failed"
    SOURCE_MISSING = "source_missing"
    SOURCE_CHANGED = "source_changed"
    SOURCE_FORBIDDEN = "source_forbidden"
    SIZE_MISMATCH = "size_mismatch"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    DISK_FULL = "disk_full"
    TOO_MANY_OPEN_FILES = "too_many_open_files"
    OUT_OF_MEMORY = "out_of_memory"
    SOURCE_UNAVAILABLE = "source_unavailable"
    SOURCE_BUSY = "source_busy"
    DESTINATION_REFUSED = "destination_refused"
    DESTINATION_FULL = "destination_full"
    DESTINATION_UNAVAILABLE = "destination_unavailable"
    DATABASE_UNAVAILABLE = "database_unavailable"
    TIMED_OUT = "timed_out"
    WORKER_LOST = "worker_lost"
    WORKFLOW_ENDED = "workflow_ended"
    INTERNAL = "internal"


class _Fails(Enum):
    """A failure's subject: a file that is not delivered, a whole order, a delivery to a customer's place, or a wait."""

    FILE = auto()
    ORDER = auto()
    DESTINATION = auto()
    TURN = auto()


class _Facts(NamedTuple):
    category: FailureCategory
    fails: _Fails


_CAPACITY, _CONFIGURATION, _INFRASTRUCTURE = FailureCategory

_FACTS: Mapping[FailureCode, _Facts] = MappingProxyType(
    {
        FailureCode.UNKNOWN_ID: _Facts(_CONFIGURATION, _Fails.FILE),
        FailureCode.CATALOGUE_CHANGED: _Facts(_CONFIGURATION, _Fails.FILE),
        FailureCode.NOTHING_TO_ORDER: _Facts(_CONFIGURATION, _Fails.FILE),
        FailureCode.TOO_MANY_FAILED: _Facts(_CONFIGURATION, _Fails.ORDER),
        FailureCode.SOURCE_MISSING: _Facts(_CONFIGURATION, _Fails.FILE),
        FailureCode.SOURCE_CHANGED: _Facts(_CONFIGURATION, _Fails.FILE),
        FailureCode.SOURCE_FORBIDDEN: _Facts(_CONFIGURATION, _Fails.FILE),
        FailureCode.SIZE_MISMATCH: _Facts(_CONFIGURATION, _Fails.FILE),
        FailureCode.CHECKSUM_MISMATCH: _Facts(_CONFIGURATION, _Fails.FILE),
        FailureCode.DISK_FULL: _Facts(_CAPACITY, _Fails.FILE),
        FailureCode.TOO_MANY_OPEN_FILES: _Facts(_CAPACITY, _Fails.FILE),
        FailureCode.OUT_OF_MEMORY: _Facts(_CAPACITY, _Fails.FILE),
        FailureCode.SOURCE_UNAVAILABLE: _Facts(_INFRASTRUCTURE, _Fails.FILE),
        FailureCode.SOURCE_BUSY: _Facts(_CAPACITY, _Fails.TURN),
        FailureCode.DESTINATION_REFUSED: _Facts(_CONFIGURATION, _Fails.DESTINATION),
        FailureCode.DESTINATION_FULL: _Facts(_CAPACITY, _Fails.DESTINATION),
        FailureCode.DESTINATION_UNAVAILABLE: _Facts(_INFRASTRUCTURE, _Fails.DESTINATION),
        FailureCode.DATABASE_UNAVAILABLE: _Facts(_INFRASTRUCTURE, _Fails.FILE),
        FailureCode.TIMED_OUT: _Facts(_INFRASTRUCTURE, _Fails.FILE),
        FailureCode.WORKER_LOST: _Facts(_INFRASTRUCTURE, _Fails.FILE),
        FailureCode.WORKFLOW_ENDED: _Facts(_INFRASTRUCTURE, _Fails.FILE),
        FailureCode.INTERNAL: _Facts(_INFRASTRUCTURE, _Fails.FILE),
    }
)


def _failing(what: _Fails) -> frozenset[FailureCode]:
    # Asked of every code, so that one without facts ends the import.
    return frozenset(code for code in FailureCode if _FACTS[code].fails is what)


DESTINATION_FAILURES = _failing(_Fails.DESTINATION)
"""What can go wrong at a customer's destination; no file of an order ever fails by it."""

FILE_FAILURES = _failing(_Fails.FILE)
"""What a file of an order may fail by: one that only waits for its turn does not."""


def category_of(code: FailureCode) -> FailureCategory:
    """The category of a failure code."""
    return _FACTS[code].category


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
        """Whether another try may succeed as things are: machines come back, room is made; what is wrong stays so."""
        return self.category is not FailureCategory.CONFIGURATION


class Failed(DomainError):
    """Raised where the work could not be done; carries the failure that is recorded."""

    def __init__(self, code: FailureCode, text: str) -> None:
        self.failure = Failure(code=code, text=text)
        super().__init__(text)
