"""Refusals about bulks."""

from typing import Any

from models.errors.base import Refusal, RefusalWithFaults


class InvalidBulk(RefusalWithFaults):
    """A bulk that cannot be accepted, with every fault at once."""

    code = "invalid_bulk"
    http_status = 422


class SelectionChanged(Refusal):
    """A bulk would have another number of orders than its caller expects."""

    code = "selection_changed"
    http_status = 409

    def __init__(self, expected: int, found: int | None) -> None:
        self.expected, self.found = expected, found
        others = "there are others" if found is None else f"there are {found}"
        super().__init__(f"you expect {expected} orders, and now {others}; look again, nothing was done")

    @property
    def members(self) -> dict[str, Any]:
        """What a client needs to go on; how many were found is not for those who may not read."""
        return {"expected": self.expected} | ({} if self.found is None else {"found": self.found})


class BulkIsOver(Refusal):
    """A bulk that has ended cannot be cancelled."""

    code = "bulk_is_over"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("this bulk has come to its end; what it did to each order stays")
