"""Cursors: opaque to callers, positions for us; signed, so that none is made up or used for another list."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from models.errors import InvalidCursor
from models.listing import Position

Row = TypeVar("Row")


@dataclass(frozen=True)
class Cursors:
    """Makes and reads the cursors of one list; `context` says which it is: whose, of what, how filtered and sorted."""

    key: bytes
    context: str

    def after(self, *parts: str | int | UUID) -> str:
        """A cursor of these parts."""
        return str(self._serializer.dumps([str(part) if isinstance(part, UUID) else part for part in parts]))

    def cut(self, found: Sequence[Row], limit: int, *place: str) -> tuple[Sequence[Row], str | None]:
        """The page of what was found, and the cursor of the next one, where one more was found than a page has.

        `place` names the attributes that say where in the list a row is.
        """
        page = found[:limit]
        more = len(found) > limit
        return page, self.after(*(getattr(page[-1], name) for name in place)) if more else None

    def behind(self, place: Position | None) -> str | None:
        """The cursor of what comes behind a position; none where nothing does."""
        return None if place is None else self.after(place.key, place.id)

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
        """The position in a sorted list. Raises InvalidCursor."""
        match self.parts(cursor) if cursor is not None else None:
            case None:
                return None
            case [str(key), str(row_id)]:
                return Position(key, UUID(row_id))
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

    def names(self, cursor: str | None) -> tuple[str, str]:
        """The position in a list by two names; empty ones before its beginning. Raises InvalidCursor."""
        match self.parts(cursor) if cursor is not None else ["", ""]:
            case [str(first), str(second)]:
                return first, second
        raise InvalidCursor

    def id(self, cursor: str | None) -> UUID | None:
        """The position in a list by id; None before its beginning. Raises InvalidCursor."""
        return UUID(name) if (name := self.name(cursor)) else None

    @cached_property
    def _serializer(self) -> URLSafeSerializer:
        signing = {"key_derivation": "hmac", "digest_method": sha256}
        context = self.context.encode("utf-8", "surrogatepass")
        return URLSafeSerializer(self.key, salt=context, signer_kwargs=signing)
