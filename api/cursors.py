"""Cursors: opaque to callers, positions for us."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

import orjson

from models.errors import InvalidCursor


def encode(*parts: str | int) -> str:
    """A cursor of these parts."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode(cursor: str) -> list[str | int]:
    """The parts of a cursor. Raises InvalidCursor."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise InvalidCursor from None
    # By exact type: JSON's true would otherwise pass for a number.
    if not isinstance(parts, list) or any(type(part) not in {str, int} for part in parts):
        raise InvalidCursor
    return parts


def decode_newest(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The position in a list of the newest first. Raises InvalidCursor."""
    match decode(cursor) if cursor is not None else None:
        case None:
            return None
        case [str(at), str(key)]:
            try:
                instant = datetime.fromisoformat(at)
                if instant.tzinfo is None:
                    raise InvalidCursor
                return instant, UUID(key)
            except ValueError:
                raise InvalidCursor from None
    raise InvalidCursor


def decode_number(cursor: str | None) -> int:
    """The position in a numbered list; 0 before its beginning. Raises InvalidCursor."""
    match decode(cursor) if cursor is not None else [0]:
        case [int(number)] if 0 <= number < 2**63:
            return number
    raise InvalidCursor


def decode_name(cursor: str | None) -> str:
    """The position in a list by name; empty before its beginning. Raises InvalidCursor."""
    match decode(cursor) if cursor is not None else [""]:
        case [str(name)]:
            return name
    raise InvalidCursor
