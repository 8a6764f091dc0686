"""What a search may ask for, by GET and by POST, checked; what it means is in `models.catalogue_search`.

No body here holds a GeoJSON geometry, so that there is nothing for geojson-pydantic to parse.
"""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.orders.filters import Word
from models.catalogue_search import Box, Interval, ObjectFilter, box_of, interval_of

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 1_000
"""Items of a page; a higher limit counts as this one, as OGC API Features says."""
MAX_NAMED: Final = 1_000
"""Ids and collections that a search may name."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _checked_interval(text: str) -> str:
    interval_of(text)
    return text


def _numbers(text: str) -> list[float]:
    parts = text.split(",")
    if not all(_NUMBER.fullmatch(part.strip()) for part in parts):
        raise ValueError("a box is written as numbers with commas between them: west,south,east,north")
    return [float(part) for part in parts]


def _checked_text_box(text: str) -> str:
    box_of(_numbers(text))
    return text


def _checked_box(numbers: list[float]) -> list[float]:
    box_of(numbers)
    return numbers


def _names(text: str) -> list[str]:
    return text.split(",")


def _checked_names(text: str) -> str:
    found = _names(text)
    if not all(found):
        raise ValueError("names have one comma between them, and none is empty")
    if len(found) > MAX_NAMED:
        raise ValueError(f"at most {MAX_NAMED} can be named")
    return text


_ABOUT_TIME: Final = "An instant, or an interval: `BEGIN/END`, `BEGIN/..` or `../END` (RFC 3339)."
_ABOUT_PLACE: Final = "west,south,east,north in degrees, or with elevations; west above east crosses the antimeridian."
_ABOUT_LIMIT: Final = f"Items on a page; more than {MAX_LIMIT} is taken as {MAX_LIMIT}."

Limit = Annotated[int, Field(ge=1, description=_ABOUT_LIMIT)]
Token = Annotated[str, Field(max_length=500, description="From the `next` link of the page before.")]
Datetime = Annotated[str, Field(max_length=100, description=_ABOUT_TIME), AfterValidator(_checked_interval)]
TextBox = Annotated[str, Field(max_length=500, description=_ABOUT_PLACE), AfterValidator(_checked_text_box)]
Names = Annotated[Word, Field(max_length=100_000), AfterValidator(_checked_names)]
NameList = Annotated[list[Word], Field(min_length=1, max_length=MAX_NAMED)]
NumberBox = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False)]],
    Field(max_length=10, description=_ABOUT_PLACE),
    AfterValidator(_checked_box),
]


class _Search(BaseModel):
    """The parameters of every search."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = DEFAULT_LIMIT
    datetime: Datetime | None = None
    token: Token | None = None

    @property
    def page_size(self) -> int:
        """How many items go on a page."""
        return min(self.limit, MAX_LIMIT)

    @property
    def meaning(self) -> dict[str, Any]:
        """The search without its page; its cursors are bound to it."""
        return self.model_dump(mode="json", exclude={"token", "limit"}, exclude_none=True)

    def _criteria(self, names: list[str] | None, box: Box | None) -> ObjectFilter:
        time = interval_of(self.datetime) if self.datetime is not None else Interval(None, None)
        return ObjectFilter(None if names is None else tuple(names), box, time.begins, time.ends)


class SearchQuery(_Search):
    """A search by GET; values of a list have commas between them.

    The items of one collection are asked for alike: clients name that collection once more in `collections`.
    """

    bbox: TextBox | None = None
    ids: Names | None = None
    collections: Names | None = None

    @property
    def skus(self) -> list[str] | None:
        """The collections to look in; None for all."""
        return None if self.collections is None else _names(self.collections)

    @property
    def criteria(self) -> ObjectFilter:
        """The filter."""
        box = box_of(_numbers(self.bbox)) if self.bbox is not None else None
        return self._criteria(None if self.ids is None else _names(self.ids), box)


class SearchBody(_Search):
    """A search by POST."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ids: NameList | None = None
    collections: NameList | None = None
    bbox: NumberBox | None = None

    @property
    def skus(self) -> list[str] | None:
        """The collections to look in; None for all."""
        return self.collections

    @property
    def criteria(self) -> ObjectFilter:
        """The filter."""
        return self._criteria(self.ids, box_of(self.bbox) if self.bbox is not None else None)
