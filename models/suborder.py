"""The states of a sub-order and of its files, and which may follow which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class SubOrderState(StrEnum):
    """How far a sub-order is on its way to its customer."""

    PLANNED = "planned"
    WAITING_SLOT = "waiting_slot"
    STAGING = "staging"
    READY = "ready"
    DOWNLOADED = "downloaded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class FileState(StrEnum):
    """How far an order file is; `failed` always comes with a failure."""

    PENDING = "pending"
    AVAILABLE = "available"
    DOWNLOADED = "downloaded"
    FAILED = "failed"


P, F = SubOrderState, FileState

SUBORDER_TRANSITIONS: Mapping[SubOrderState, frozenset[SubOrderState]] = MappingProxyType(
    {
        P.PLANNED: frozenset({P.WAITING_SLOT, P.STAGING, P.FAILED, P.CANCELLED, P.EXPIRED}),
        P.WAITING_SLOT: frozenset({P.STAGING, P.FAILED, P.CANCELLED, P.EXPIRED}),
        P.STAGING: frozenset({P.READY, P.FAILED, P.CANCELLED, P.EXPIRED}),
        P.READY: frozenset({P.PLANNED, P.DOWNLOADED, P.FAILED, P.CANCELLED, P.EXPIRED}),
        P.DOWNLOADED: frozenset({P.PLANNED, P.CANCELLED, P.EXPIRED}),
        P.FAILED: frozenset({P.PLANNED, P.CANCELLED, P.EXPIRED}),
        P.CANCELLED: frozenset(),
        P.EXPIRED: frozenset(),
    }
)
"""A ready, downloaded or failed sub-order is planned again when a retry has files to mend in it; a ready one whose
files have all changed in their storage before they were downloaded has failed."""


FILE_TRANSITIONS: Mapping[FileState, frozenset[FileState]] = MappingProxyType(
    {
        F.PENDING: frozenset({F.AVAILABLE, F.FAILED}),
        F.AVAILABLE: frozenset({F.DOWNLOADED, F.FAILED}),
        F.DOWNLOADED: frozenset({F.FAILED}),
        F.FAILED: frozenset({F.PENDING}),
    }
)
"""A file that changes in its storage fails even when it was downloaded before: its archive cannot be had again."""


def states_before(state: SubOrderState) -> frozenset[SubOrderState]:
    """The states from which a sub-order may enter `state`; what a guarded UPDATE names in its WHERE."""
    return frozenset(s for s, after in SUBORDER_TRANSITIONS.items() if state in after)


def file_states_before(state: FileState) -> frozenset[FileState]:
    """The same for a file."""
    return frozenset(s for s, after in FILE_TRANSITIONS.items() if state in after)
