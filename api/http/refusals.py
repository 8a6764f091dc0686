"""Requests that the server's protocol refuses, for which no application is asked: why, and what they are answered.

Each is counted and logged here, with nothing of the request: what there is of it may be a signed link or a token.
"""

from collections.abc import Callable
from secrets import token_hex
from typing import NamedTuple

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.problems import problem
from models.errors import Fault

log = structlog.get_logger()

Count = Callable[[int, str], None]
"""Counts a refusal by its status and the code of its fault."""


class Reason(NamedTuple):
    """Why a request is refused that no application gets to see."""

    status: int
    code: str
    fault: str
    text: str


UNREADABLE = Reason(400, "invalid_request", "unreadable_request", "This is no HTTP/1.1 request that can be read.")
HEAD_LATE = Reason(408, "request_timeout", "head_timeout", "The head of the request was not there in time.")
BODY_LATE = Reason(408, "request_timeout", "body_timeout", "The body of the request came too slowly, or stopped.")


def head_too_large(most_bytes: int) -> Reason:
    """The reason where a head has more bytes than it may have."""
    most = f"{most_bytes // 1024} KiB"
    text = f"Request line and header fields have more than {most}; ask for less at a time, or send fewer fields."
    return Reason(431, "head_too_large", "head_too_large", text)


def uncounted(_status: int, _fault: str) -> None:
    """Nobody counts."""


def refusal(reason: Reason, count: Count) -> bytes:
    """The answer, which ends its connection; it is counted and logged."""
    fault = Fault(field="request", code=reason.fault, text=reason.text).model_dump()
    request_id = token_hex(8)
    count(reason.status, reason.fault)
    log.info("request refused", status=reason.status, fault=reason.fault, request_id=request_id)
    headers = {"Connection": "close", "X-Request-ID": request_id}
    answer = problem(reason.status, reason.code, reason.text, headers=headers, faults=[fault])
    head = b"".join(b"%s: %s\r\n" % pair for pair in answer.raw_headers)
    return STATUS_LINE[reason.status] + head + b"\r\n" + bytes(answer.body)
