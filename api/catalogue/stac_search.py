"""What a search may ask for, by GET and by POST, checked; its meaning is in `models.catalogue_search` and `.areas`."""

import re
from typing import Annotated, Any, Final

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)

from api.catalogue.geojson import GEOMETRY
from api.orders.filters import Text, Word
from models.areas import MAX_POSITIONS, SearchArea, area_of_box, area_of_geometry, box_of
from models.catalogue_search import Interval, ObjectFilter, interval_of
from models.instants import with_plus

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 1_000
"""Items of a page; a higher limit counts as this one, as OGC API Features says."""
MAX_NAMED: Final = 1_000
"""Ids and collections that a search may name."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _checked_interval(text: str) -> str:
    interval_of(text)
    return text


def numbers_of(text: str) -> list[float]:
    """The numbers of a box. Raises ValueError."""
    parts = text.split(",")
    if not all(_NUMBER.fullmatch(part.strip()) for part in parts):
        raise ValueError("a box is written as numbers with commas between them: west,south,east,north")
    return [float(part) for part in parts]


def _checked_text_box(text: str) -> str:
    box_of(numbers_of(text))
    return text


def _checked_box(numbers: list[float]) -> list[float]:
    box_of(numbers)
    return numbers


def geometry_of(text: str) -> Any:
    """A geometry that is written as JSON. Raises ValueError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"this is not the JSON of a GeoJSON geometry: {error}") from None


def _checked_geometry(raw: Any) -> Any:
    area_of_geometry(raw)
    return raw


def _checked_text_geometry(text: str) -> str:
    area_of_geometry(geometry_of(text))
    return text


def _not_empty(names: list[str]) -> list[str]:
    # Taken for no restriction, a list that came out empty would find, and order, everything.
    if not names:
        raise ValueError("an empty list names nothing; leave it out to search all")
    return names


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
_ABOUT_PLACE: Final = (
    "west,south,east,north in degrees, or with elevations; west above east crosses the antimeridian, longitudes may go "
    "on beyond 180. Not with `intersects`."
)
_ABOUT_GEOMETRY: Final = (
    f"A GeoJSON geometry of any type, of at most {MAX_POSITIONS} positions, that items have a point in common with. "
    "Longitudes may go on beyond 180. Not with `bbox`."
)
_ABOUT_LIMIT: Final = f"Items on a page; more than {MAX_LIMIT} is taken as {MAX_LIMIT}."

Limit = Annotated[int, Field(ge=1, description=_ABOUT_LIMIT)]
Token = Annotated[str, Field(max_length=500, description="From the `next` link of the page before.")]
Datetime = Annotated[str, Field(max_length=100, description=_ABOUT_TIME), AfterValidator(_checked_interval)]
TextBox = Annotated[str, Field(max_length=500, description=_ABOUT_PLACE), AfterValidator(_checked_text_box)]
Names = Annotated[Text, Field(min_length=1, max_length=100_000), AfterValidator(_checked_names)]
NameList = Annotated[
    list[Word], Field(max_length=MAX_NAMED, json_schema_extra={"minItems": 1}), AfterValidator(_not_empty)
]
TextGeometry = Annotated[
    str, Field(max_length=100_000, description=_ABOUT_GEOMETRY), AfterValidator(_checked_text_geometry)
]
Geometry = Annotated[
    dict[str, Any],
    Field(description=_ABOUT_GEOMETRY),
    AfterValidator(_checked_geometry),
    WithJsonSchema(GEOMETRY),
]
NumberBox = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False)]],
    Field(max_length=10, description=_ABOUT_PLACE),
    AfterValidator(_checked_box),
]


def area_wanted(box: list[float] | None, geometry: Any) -> SearchArea | None:
    """The area that is searched, given as a box or as a geometry."""
    if geometry is not None:
        return area_of_geometry(geometry)
    return None if box is None else area_of_box(box_of(box))


def one_place(geometry: Any, info: ValidationInfo) -> Any:
    """Refuse a geometry besides a box; it comes after the box. Raises ValueError."""
    if geometry is not None and info.data.get("bbox") is not None:
        raise ValueError("there is a `bbox` besides; search by one of them")
    return geometry


class CollectionsQuery(BaseModel):
    """A list of collections; without a limit it is all of them."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, description="Collections on a page; all of them without.")] | None = None
    token: Token | None = None


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

    def _criteria(self, names: list[str] | None, box: list[float] | None, geometry: Any) -> ObjectFilter:
        time = interval_of(self.datetime) if self.datetime is not None else Interval(None, None)
        area = area_wanted(box, geometry)
        return ObjectFilter(None if names is None else tuple(names), area, time.begins, time.ends)


class SearchQuery(_Search):
    """A search by GET; values of a list have commas between them.

    The items of one collection are asked for alike: clients name that collection once more in `collections`.
    """

    datetime: Annotated[Datetime, BeforeValidator(with_plus)] | None = None
    bbox: TextBox | None = None
    intersects: Annotated[TextGeometry | None, AfterValidator(one_place)] = None
    ids: Names | None = None
    collections: Names | None = None

    @property
    def skus(self) -> list[str] | None:
        """The collections to look in, in pieces: there may be commas in their names; None for all."""
        return None if self.collections is None else _names(self.collections)

    @property
    def criteria(self) -> ObjectFilter:
        """The filter; its names are in pieces."""
        names = None if self.ids is None else _names(self.ids)
        box = None if self.bbox is None else numbers_of(self.bbox)
        return self._criteria(names, box, None if self.intersects is None else geometry_of(self.intersects))


class SearchBody(_Search):
    """A search by POST."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ids: NameList | None = None
    collections: NameList | None = None
    bbox: NumberBox | None = None
    intersects: Annotated[Geometry | None, AfterValidator(one_place)] = None

    @property
    def skus(self) -> list[str] | None:
        """The collections to look in; None for all."""
        return self.collections

    @property
    def criteria(self) -> ObjectFilter:
        """The filter."""
        return self._criteria(self.ids, self.bbox, self.intersects)
