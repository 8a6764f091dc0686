"""Answering a download: conditions, ranges, headers, and the bytes (RFC 9110)."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from fastapi import Request, Response

from api.dependencies import Services
from api.downloads.download_tracker import DownloadTracker
from api.downloads.streaming_download import Pieces, StreamingDownload
from api.http import ranges
from api.http.answers import (
    ACCEPT_RANGES,
    CACHE_CONTROL,
    CONDITIONS,
    CONTENT_DISPOSITION,
    CONTENT_RANGE,
    DIGEST,
    ETAG,
    IF_RANGE,
    LAST_MODIFIED,
    LINK,
    RANGE,
    REPR_DIGEST,
    Declared,
)
from api.http.fields import folded
from api.http.lasting import LastingRight
from models.coverage import Span
from models.errors import Failed, FailureCode, Gone, NotFound, NotReady, ServerBusy, TooManyDownloads
from models.naming import content_disposition
from services.download_tracking import DownloadTarget

SpanReader = Callable[[Span], AsyncGenerator[memoryview, None]]
"""Gives the bytes of a span."""

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
# Of what type an ordered file is, its catalogue says.
_CONTENT: dict[str, Any] = {"content": {"application/zip": _BINARY, "*/*": {}}}
_PARTS: dict[str, Any] = {"content": {**_CONTENT["content"], "multipart/byteranges": _BINARY}}
DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {**_CONTENT, "description": "Everything"},
    206: {**_PARTS, "description": "The range asked for, or several as multipart/byteranges"},
    304: {"description": "Not modified since the given ETag"},
    416: {"description": "Every range lies behind the end"},
}
"""How a download is answered."""

DOWNLOADS: tuple[Declared, ...] = (
    *(NotFound, Gone, NotReady, Failed, TooManyDownloads, ServerBusy, *CONDITIONS, RANGE, IF_RANGE),
    *(ETAG, LAST_MODIFIED, CACHE_CONTROL, ACCEPT_RANGES, CONTENT_RANGE, CONTENT_DISPOSITION),
    *(REPR_DIGEST, DIGEST, LINK),
)
"""What every download may answer besides."""


@dataclass(frozen=True)
class Representation:
    """A representation (RFC 9110, section 3.2): its version, its name, and its SHA-256 where that is known."""

    version: ranges.Version
    filename: str
    media_type: str
    sha256: bytes | None = None
    described_by: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every answer about it."""
        headers = {
            "ETag": self.version.etag,
            "Accept-Ranges": "bytes",
            "Content-Disposition": content_disposition(self.filename),
            "Cache-Control": "private, no-cache, no-transform",
            "X-Content-Type-Options": "nosniff",
            # Should a browser show it all the same, it runs no script and has no origin.
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        if self.version.modified is not None:
            headers["Last-Modified"] = format_datetime(self.version.modified, usegmt=True)
        if self.sha256 is not None:
            proof = b64encode(self.sha256).decode()
            # RFC 9530, and RFC 3230 for those that know no other.
            headers |= {"Repr-Digest": f"sha-256=:{proof}:", "Digest": f"SHA-256={proof}"}
        if self.described_by is not None:
            # RFC 6249, section 4: a Metalink that has the size and the hash of this.
            headers["Link"] = f'<{self.described_by}>; rel=describedby; type="application/metalink4+xml"'
        return headers


def response_without_body(request: Request, representation: Representation, now: datetime) -> Response | None:
    """The answer that needs no bytes: 304 or that of a HEAD. Raises PreconditionFailed."""
    headers = representation.headers
    if ranges.not_modified(folded(request.headers), representation.version, now=now):
        kept = {"ETag", "Cache-Control", "Last-Modified"}
        return Response(status_code=304, headers={k: v for k, v in headers.items() if k in kept})
    if request.method == "HEAD":
        length = str(representation.version.size)
        return Response(headers={**headers, "Content-Length": length, "Content-Type": representation.media_type})
    return None


async def answer(
    request: Request,
    services: Services,
    representation: Representation,
    target: DownloadTarget,
    reader: SpanReader,
    right: LastingRight,
) -> Response:
    """The bytes of the ranges asked for.

    Raises Failed before the first byte, so that it can be answered; the answer, when it is sent, raises Gone or
    TooManyDownloads or ServerBusy before anything of it has gone out.
    """
    size, headers = representation.version.size, representation.headers
    try:
        spans = ranges.parse_range(folded(request.headers), representation.version, now=services.now())
    except ranges.Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if spans is None:
        status, pieces, length = 200, _pieces([(b"", Span(0, size))], b"", reader), size
        headers["Content-Type"] = representation.media_type
    elif len(spans) == 1:
        (span,) = spans
        status, pieces, length = 206, _pieces([(b"", span)], b"", reader), span.stop - span.start
        headers |= {"Content-Type": representation.media_type, "Content-Range": _content_range(span, size)}
    else:
        boundary = secrets.token_hex(16)
        parts, end = _multipart(spans, representation, boundary)
        status, pieces = 206, _pieces(parts, end, reader)
        length = sum(len(head) + span.stop - span.start for head, span in parts) + len(end)
        headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    headers["Content-Length"] = str(length)
    body = await _with_first_bytes(pieces, services.first_byte_timeout)
    tracker = DownloadTracker(services, target, length)
    stalled = services.stalled_after
    return StreamingDownload(body, tracker, right, status_code=status, headers=headers, stalled_after=stalled)


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span.start}-{span.stop - 1}/{size}"


def _multipart(
    spans: Sequence[Span], representation: Representation, boundary: str
) -> tuple[list[tuple[bytes, Span]], bytes]:
    """The spans, each behind its head, and the end (RFC 9110, section 14.6)."""
    heads = (
        f"\r\n--{boundary}\r\nContent-Type: {representation.media_type}\r\n"
        f"Content-Range: {_content_range(span, representation.version.size)}\r\n\r\n"
        for span in spans
    )
    return list(zip((head.encode() for head in heads), spans, strict=True)), f"\r\n--{boundary}--\r\n".encode()


async def _pieces(parts: Sequence[tuple[bytes, Span]], end: bytes, reader: SpanReader) -> Pieces:
    for head, span in parts:
        if head:
            yield None, head
        at = span.start
        blocks = reader(span)
        try:
            async for block in blocks:
                yield Span(at, at + len(block)), block
                at += len(block)
        finally:
            await blocks.aclose()
    if end:
        yield None, end


async def _with_first_bytes(pieces: Pieces, within: float) -> Pieces:
    """The pieces with the first bytes read, so that an unavailable source is answered with 503 and not cut.

    Raises Failed where the first bytes have not come after `within` seconds.
    """
    first = []
    try:
        async with asyncio.timeout(within):
            async for piece in pieces:
                first.append(piece)
                if piece[0] is not None:
                    break
    except TimeoutError:
        # Its thread cannot be called back; it ends when the storage lets go of it.
        raise Failed(FailureCode.SOURCE_UNAVAILABLE, "the storage of these files does not answer") from None
    return _behind(first, pieces)


async def _behind(first: Sequence[tuple[Span | None, memoryview | bytes]], rest: Pieces) -> Pieces:
    try:
        for piece in first:
            yield piece
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()


def media_type_of(text: str) -> str:
    """The media type of a file if it is one that can stand in a header."""
    kind, _, sub = text.partition(";")[0].strip().partition("/")
    plain = all(part and all(c.isalnum() or c in "!#$&^_.+-" for c in part) and part.isascii() for part in (kind, sub))
    return f"{kind}/{sub}" if plain else "application/octet-stream"
