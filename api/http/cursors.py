"""Cursors: opaque to callers, positions for us; signed, so that none is made up or used for another list."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from models.errors import InvalidCursor
from models.listing import Position


@dataclass(frozen=True)
class Cursors:
    """Makes and reads the cursors of one list; `context` says which it is: whose, of what, how filtered and sorted."""

    key: bytes
    context: str

    def after(self, *parts: str | int) -> str:
        """A cursor of these parts."""
        return str(self._serializer.dumps(parts))

    def parts(self, cursor: str) -> list[str | int]:
        """The parts of a cursor. Raises InvalidCursor for one that is not of this list."""
        try:
            found: list[str | int] = self._serializer.loads(cursor)
        except (BadData, UnicodeError):
            raise InvalidCursor from None
        # Base64 can write the same bytes in several ways; a cursor has one.
        if self.after(*found) != cursor:
            raise InvalidCursor
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

    @cached_property
    def _serializer(self) -> URLSafeSerializer:
        signing = {"key_derivation": "hmac", "digest_method": sha256}
        context = self.context.encode("utf-8", "surrogatepass")
        return URLSafeSerializer(self.key, salt=context, signer_kwargs=signing)
