"""Entity tags: what has not changed since the caller last saw it is not sent again (RFC 9110, section 13)."""

import hashlib

from fastapi import Request, Response
from pydantic import BaseModel

from api import ranges

CACHE = {"Cache-Control": "private, no-cache"}
"""Kept by nobody but the caller, and asked for anew each time."""


def tagged(request: Request, body: BaseModel) -> Response:
    """The body as JSON under a tag of its content, or 304 where the caller has it already."""
    content = body.__pydantic_serializer__.to_json(body)
    etag = f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, **CACHE}
    if ranges.not_modified(request.headers, ranges.Version(etag, len(content), None)):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")
