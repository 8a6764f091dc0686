"""Reads the JSON documents of a source as their writers write them: with a byte order mark, `NaN`, or stray bytes."""

import json
from typing import Any, Final

import orjson

from models.errors import Refusal, SourceUnreadable
from services.catalogue.tree import SourceTree, why_not

MAX_DOCUMENT_BYTES: Final = 256 * 1024**2
"""No catalogue is that large, and a link may lead to a file of any size that is no JSON at all."""

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_MAX_DIGITS: Final = 400
"""Of a whole number: a number with more is infinite, as one with such an exponent is."""


def read_document(tree: SourceTree, path: str) -> dict[str, Any]:
    """Read a JSON object of the source's tree; raises Refusal with the reason, SourceUnreadable where it is no JSON.

    What is in it may be odd: a number that is not finite, a text with lone surrogates where the file is not UTF-8.
    """
    size = tree.look(path).stat.st_size
    if size > MAX_DOCUMENT_BYTES:
        raise SourceUnreadable(f"it is not valid JSON: it has {size:,} bytes, more than any STAC document")
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the hot path of many items
            content = file.read()
    except OSError as error:
        raise SourceUnreadable(why_not(error)) from error
    return parse_object(content)


def parse_object(content: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises what `read_document` raises of its content."""
    if not content.strip():
        raise SourceUnreadable("it is not valid JSON: it is empty")
    found = _parsed(content.removeprefix(_UTF8_MARK))
    if not isinstance(found, dict):
        raise Refusal("it is not a JSON object")
    return found


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if content.startswith(_UTF16_MARKS):
            raise SourceUnreadable("it is not valid JSON: it is UTF-16; save it as UTF-8") from error
        return _parsed_leniently(content)


def _parsed_leniently(content: bytes) -> Any:
    """What orjson refuses and Python's own parser takes; costs ten times as much."""
    try:
        return json.loads(content.decode(errors="surrogateescape"), parse_int=_whole_number, strict=False)
    except RecursionError as error:
        raise SourceUnreadable("it is not valid JSON: it is nested too deep") from error
    except json.JSONDecodeError as error:
        raise SourceUnreadable(f"it is not valid JSON: {error}") from error


def _whole_number(digits: str) -> float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)
