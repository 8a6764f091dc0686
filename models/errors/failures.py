"""Failures: work that could not be done, by category and stable code."""

from enum import StrEnum

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


DESTINATION_FAILURES = frozenset(
    {FailureCode.DESTINATION_REFUSED, FailureCode.DESTINATION_FULL, FailureCode.DESTINATION_UNAVAILABLE}
)
"""What can go wrong at a customer's destination; no file of an order ever fails by it."""

FILE_FAILURES = frozenset(FailureCode) - DESTINATION_FAILURES - {FailureCode.SOURCE_BUSY}
"""What a file of an order may fail by: one that only waits for its turn does not."""


_CAPACITY = {
    FailureCode.DISK_FULL,
    FailureCode.TOO_MANY_OPEN_FILES,
    FailureCode.OUT_OF_MEMORY,
    FailureCode.SOURCE_BUSY,
    FailureCode.DESTINATION_FULL,
}


_INFRASTRUCTURE = {
    FailureCode.SOURCE_UNAVAILABLE,
    FailureCode.DESTINATION_UNAVAILABLE,
    FailureCode.DATABASE_UNAVAILABLE,
    FailureCode.TIMED_OUT,
    FailureCode.WORKER_LOST,
    FailureCode.WORKFLOW_ENDED,
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


class Failed(DomainError):
    """Raised where the work could not be done; carries the failure that is recorded."""

    def __init__(self, code: FailureCode, text: str) -> None:
        self.failure = Failure(code=code, text=text)
        super().__init__(text)
