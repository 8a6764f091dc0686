"""What the schemas of every feature are made of; requests are strict and refuse what they do not know."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
)

from models.errors import FailureCategory
from models.instants import in_utc, with_plus

Money = Annotated[
    str,
    Field(description="An amount with the decimals of its currency (ISO 4217): `7.50` EUR, `1500` JPY, `4.500` KWD."),
]
Key = Annotated[str, Field(min_length=1, max_length=1024)]
MAX_PAGE = 1000
PageLimit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
PageCursor = Annotated[str | None, Query(max_length=500)]


def _whole(value: Any) -> Any:
    """JSON has one kind of number, and 7.0 is the whole number 7 (JSON Schema, section 6.1.1 of Validation)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written_out(value: Any) -> Any:
    """An instant is a date and a time, not a number of seconds since some day."""
    if isinstance(value, datetime) or (isinstance(value, str) and value[4:5] == "-"):
        return value
    raise ValueError("an instant is text: date, time and offset, such as 2026-12-05T00:00:00Z")


EXACT = 2**53 - 1
"""The largest whole number that every reader of JSON takes for itself (RFC 8259, section 6)."""

WHOLE = BeforeValidator(_whole)
"""Comes after the bounds of a whole number in a body, so that 7.0 is checked as 7."""


def _meant(value: Any) -> Any:
    return with_plus(value) if isinstance(value, str) else value


Instant = Annotated[AwareDatetime, Strict(False), BeforeValidator(_written_out), AfterValidator(in_utc)]
"""An instant with its offset from UTC (RFC 3339), in a body or a parameter: text, which strict models refuse."""

QueryInstant = Annotated[Instant, BeforeValidator(_meant)]
"""An instant in a parameter, whose `+` may have become a blank."""


class Body(BaseModel):
    """A request: strict, and nothing unknown."""

    model_config = ConfigDict(extra="forbid", strict=True)


def change_schema(example: dict[str, Any], **more: Any) -> Callable[[dict[str, Any]], None]:
    """What the schema of a change says besides: what is left out stays, and so has no default."""

    def complete(schema: dict[str, Any]) -> None:
        for field in schema["properties"].values():
            field.pop("default", None)
        schema |= {"examples": [example], **more}

    return complete


class FailurePublic(BaseModel):
    """Why something failed."""

    category: FailureCategory
    code: str
    text: str


class FaultPublic(BaseModel):
    """One thing wrong with an order."""

    field: str
    code: str
    text: str


class ActPublic(BaseModel):
    """What an administrator has changed: by attribute, what was before and what is after."""

    id: UUID
    at: datetime
    actor: str
    changes: dict[str, list[Any]]


class ActsPublic(BaseModel):
    """A page of changes, the newest first."""

    items: list[ActPublic]
    next_cursor: str | None
