"""Entity tags of documents: what the caller has already is not sent again (RFC 9110, section 13).

The tag of a document tells its version, which a proxy that compresses it leaves as it is: the forms of the tag that
such proxies make are taken like the tag itself (ADR 0022). Bytes are compared strongly, as `api.http.ranges` says.
"""

import hashlib

from fastapi import Request, Response
from pydantic import BaseModel

from api.http.entity_tags import EntityTags
from api.http.fields import folded
from models.errors import PreconditionFailed

CACHE = {"Cache-Control": "private, no-cache"}
"""Stored by the caller alone, and validated before each use."""


def tagged(request: Request, body: BaseModel, state: str = "", *, changed: bool = False) -> Response:
    """The body as JSON under a tag of its content, or 304 where the caller has it already.

    `state` stands in the tag as it is: what `require_match` looks at. Of what has just been `changed` the conditions of
    the request have been looked at. Dates are not: a document has none.
    """
    content = body.__pydantic_serializer__.to_json(body)
    etag = f'"{state}{"-" if state else ""}{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, **CACHE}
    if not changed and _has_version(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


def require_match(request: Request, state: str) -> None:
    """Raise PreconditionFailed where the request is meant for another state than this one.

    What the caller got may differ in more, such as progress; that is no conflict (ADR 0017).
    """
    if (meant := states_meant(request)) is not None and state not in meant:
        raise PreconditionFailed


def states_meant(request: Request) -> set[str] | None:
    """The states that the request is meant for, by its `If-Match`; None for any."""
    given = folded(request.headers).get("if-match")
    if given is None or given.strip() == "*":
        return None
    return {opaque.partition("-")[0] for opaque in EntityTags(given).opaque}


def _has_version(request: Request, etag: str) -> bool:
    """Whether the caller has this version of a document already. Raises PreconditionFailed."""
    conditions = folded(request.headers)
    if (tags := conditions.get("if-match")) is not None and not EntityTags(tags).match_version(etag):
        raise PreconditionFailed
    tags = conditions.get("if-none-match")
    return tags is not None and EntityTags(tags).match_version(etag)
