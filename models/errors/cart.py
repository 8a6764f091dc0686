"""Refusals about carts."""

from collections.abc import Sequence
from typing import Any

from models.errors.base import Fault, RefusalWithFaults


class NothingAdded(RefusalWithFaults):
    """Nothing of what was to be put into the cart can be ordered; each fault says why."""

    code = "nothing_added"
    http_status = 422


class CartChanged(RefusalWithFaults):
    """The cart is not what it was when its customer saw it; the faults tell what differs."""

    code = "cart_changed"
    http_status = 409

    def __init__(self, version: int, faults: Sequence[Fault]) -> None:
        self.version = version
        again = Fault(field="version", code="version_changed", text="your cart was changed and changed back")
        super().__init__(faults or [again])

    @property
    def members(self) -> dict[str, Any]:
        """The version that it has now, besides."""
        return {**super().members, "version": self.version}
