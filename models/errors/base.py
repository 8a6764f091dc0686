"""The roots of all errors: what a refusal tells its caller, and what a fault is."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


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
    """A request that cannot be granted; nothing has changed. Each kind has its HTTP status and its stable code."""

    code: str = "refused"
    http_status: ClassVar[int]
    hint: Hint | None = None
    retry_after: int | None = None
    """Seconds after which to ask again, where that helps."""

    @property
    def challenge(self) -> str | None:
        """What to show instead, for `WWW-Authenticate` (RFC 9110); None where nothing would help."""
        return None

    @property
    def members(self) -> dict[str, Any]:
        """What the answer says besides code and sentence, as JSON."""
        return {}


class RefusalWithFaults(Refusal):
    """A refusal that tells every fault at once, not the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.text for fault in self.faults))

    @property
    def members(self) -> dict[str, Any]:
        """The faults, each with its field."""
        return {"faults": [fault.model_dump() for fault in self.faults]}


class NotFound(Refusal):
    """There is no such thing, or it is somebody else's."""

    code = "not_found"
    http_status = 404

    def __init__(self, noun: str, key: object) -> None:
        super().__init__(f"there is no {noun} {key}")
