"""Why an object, or what else somebody asks for, cannot be ordered: one vocabulary for catalogue and cart."""

from collections.abc import Collection
from enum import StrEnum

from models.access import Caller, Permission


class NotOrderable(StrEnum):
    """Why something cannot be ordered."""

    NOT_SIGNED_IN = "not_signed_in"
    ACCESS_LIMITED = "access_limited"
    """Its product is closed to the caller, or the caller orders nothing at all."""
    STORAGE_NOT_ALLOWED = "storage_not_allowed"
    """All of it is on storage that nobody orders from."""
    NOTHING_ORDERABLE = "nothing_orderable"
    """It has no file, or none is left of it."""
    UNKNOWN = "unknown"
    """There is no such thing that the caller may see."""


def why_not_orderable(
    caller: Caller | None,
    groups: Collection[str],
    *,
    files: int,
    tiers: Collection[str],
    ordered_from: Collection[str] | None = None,
) -> NotOrderable | None:
    """Why this caller cannot order an object of a product of these groups; None where it can be ordered.

    `ordered_from` are the tiers of storage that orders are taken from, all for None.
    """
    if caller is None:
        return NotOrderable.NOT_SIGNED_IN
    admitted = caller.admitted
    if not caller.may(Permission.ORDER) or (groups and admitted is not None and admitted.isdisjoint(groups)):
        return NotOrderable.ACCESS_LIMITED
    if not files:
        return NotOrderable.NOTHING_ORDERABLE
    allowed = ordered_from is None or not set(tiers).isdisjoint(ordered_from)
    return None if allowed else NotOrderable.STORAGE_NOT_ALLOWED
