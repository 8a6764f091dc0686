"""Cursors: opaque to callers, positions for us; sealed, so that none is made up or used for another list."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

import orjson

from models.errors import InvalidCursor
from models.listing import Position

_SEAL_BYTES = 16


@dataclass(frozen=True)
class Cursors:
    """Makes and reads the cursors of one list; `context` says which it is: whose, of what, how filtered and sorted."""

    key: bytes
    context: str

    def after(self, *parts: str | int) -> str:
        """A cursor of these parts."""
        content = orjson.dumps(parts)
        return base64.urlsafe_b64encode(self._seal(content) + content).decode().rstrip("=")

    def parts(self, cursor: str) -> list[str | int]:
        """The parts of a cursor. Raises InvalidCursor for one that is not of this list."""
        try:
            # Strict: a letter more or less would otherwise make another cursor of the same meaning.
            whole = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise InvalidCursor from None
        seal, content = whole[:_SEAL_BYTES], whole[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(content)) or self.after(*orjson.loads(content)) != cursor:
            raise InvalidCursor
        found: list[str | int] = orjson.loads(content)
        return found

    def position(self, cursor: str | None) -> Position | None:
        """The position in a sorted list of orders. Raises InvalidCursor."""
        match self.parts(cursor) if cursor is not None else None:
            case None:
                return None
            case [str(key), str(order_id)]:
                return Position(key, UUID(order_id))
        raise InvalidCursor

    def number(self, cursor: str | None) -> int:
        """The position in a numbered list; 0 before its beginning. Raises InvalidCursor."""
        match self.parts(cursor) if cursor is not None else [0]:
            case [int(number)]:
                return number
        raise InvalidCursor

    def name(self, cursor: str | None) -> str:
        """The position in a list by name; empty before its beginning. Raises InvalidCursor."""
        match self.parts(cursor) if cursor is not None else [""]:
            case [str(name)]:
                return name
        raise InvalidCursor

    def _seal(self, content: bytes) -> bytes:
        message = self.context.encode("utf-8", "surrogatepass") + b"\0" + content
        return hmac.digest(self.key, message, hashlib.sha256)[:_SEAL_BYTES]
