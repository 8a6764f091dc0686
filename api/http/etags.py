"""Entity tags: what has not changed since the caller last got it is not sent again (RFC 9110, section 13)."""

import hashlib

from fastapi import Request, Response
from pydantic import BaseModel

from api.http import ranges
from models.errors import PreconditionFailed

CACHE = {"Cache-Control": "private, no-cache"}
"""Stored by the caller alone, and validated before each use."""


def tagged(request: Request, body: BaseModel, state: str = "", *, changed: bool = False) -> Response:
    """The body as JSON under a tag of its content, or 304 where the caller has it already.

    `state` stands in the tag as it is: what `require_match` looks at. Of what has just been `changed` the conditions of
    the request have been looked at.
    """
    content = body.__pydantic_serializer__.to_json(body)
    etag = f'"{state}{"-" if state else ""}{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, **CACHE}
    if not changed and ranges.not_modified(request.headers, ranges.Version(etag, len(content), None)):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


def require_match(request: Request, state: str) -> None:
    """Raise PreconditionFailed where the request is meant for another state than this one.

    What the caller got may differ in more, such as progress; that is no conflict (ADR 0017).
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return
    if state not in {tag.strip('"').partition("-")[0] for tag in ranges.named_tags(given)}:
        raise PreconditionFailed
