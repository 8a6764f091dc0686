"""Refusals about requests, whatever they ask for."""

from typing import Any

from models.errors.base import Fault, Refusal

_WAIT = "you may have {limit} {noun} under way at a time; wait until one ends"


class InvalidCursor(Refusal):
    """A cursor that is none of ours; `field` is the parameter it came in."""

    code = "invalid_cursor"
    http_status = 422

    def __init__(self, field: str = "cursor", source: str = "`next_cursor`") -> None:
        super().__init__(f"this is no {field} of ours; take {source} of the last page, or leave it out")
        self.field = field

    @property
    def members(self) -> dict[str, Any]:
        """The parameter, as a fault."""
        return {"faults": [Fault(field=self.field, code=self.code, text=str(self)).model_dump()]}


class KeyInFlight(Refusal):
    """Another request with this idempotency key is being answered."""

    code = "idempotency_key_in_flight"
    http_status = 409
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("a request with this Idempotency-Key is being answered; send the same again in a moment")


class KeyReused(Refusal):
    """An idempotency key that was used for another request."""

    code = "idempotency_key_reused"
    http_status = 422

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used for another request; a new request needs a new key")

    @property
    def members(self) -> dict[str, Any]:
        """The header, as a fault."""
        return {"faults": [Fault(field="Idempotency-Key", code=self.code, text=str(self)).model_dump()]}


class TooManyRequests(Refusal):
    """The caller asks more often than allowed; `retry_after` in seconds."""

    code = "too_many_requests"
    http_status = 429

    def __init__(self, limit: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"you may send {limit}; wait {retry_after} s")


class TooManyDownloads(Refusal):
    """The customer has as many downloads under way as they may; download tools wait for one to end."""

    code = "too_many_downloads"
    http_status = 503  # not 429, which download tools give up on
    retry_after = 5
    noun = "downloads"

    def __init__(self, limit: int) -> None:
        super().__init__(_WAIT.format(limit=limit, noun=self.noun))


class TooManyStreams(Refusal):
    """The customer has as many streams of live events open as they may."""

    code = "too_many_streams"
    http_status = 503
    retry_after = 5
    noun = "streams of events"

    def __init__(self, limit: int) -> None:
        super().__init__(_WAIT.format(limit=limit, noun=self.noun))


class TooManyExports(Refusal):
    """The customer has as many exports under way as they may."""

    code = "too_many_exports"
    http_status = 503
    retry_after = 5
    noun = "exports"

    def __init__(self, limit: int) -> None:
        super().__init__(_WAIT.format(limit=limit, noun=self.noun))


class ServerBusy(Refusal):
    """The process has as many of one kind under way as it has room for; another one may have more."""

    code = "server_busy"
    http_status = 503
    retry_after = 5

    def __init__(self, noun: str) -> None:
        super().__init__(f"this server has as many {noun} under way as it has room for; try again in a moment")


class PreconditionFailed(Refusal):
    """What is here is not what the request was meant for (RFC 9110, section 13)."""

    code = "precondition_failed"
    http_status = 412

    def __init__(self) -> None:
        super().__init__("what is here now is not the version that If-Match or If-Unmodified-Since names")
