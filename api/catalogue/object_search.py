"""What a search of the catalogue may ask for, by GET and by POST; places and times are written as for STAC."""

from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema

from api.catalogue.stac_search import (
    Datetime,
    Geometry,
    NumberBox,
    TextBox,
    TextGeometry,
    area_wanted,
    geometry_of,
    numbers_of,
    one_place,
)
from api.orders.filters import Size, Text, Words, check_term_count
from api.schemas import MAX_PAGE, WHOLE
from models.areas import SearchArea
from models.catalogue_search import Facet, Interval, ObjectFilter, ObjectSort, interval_of, property_test
from models.instants import with_plus
from models.tables.catalogue import KINDS, TIERS

MAX_TESTS = 10


def _checked_test(text: str) -> str:
    property_test(text)
    return text


def _one_of(known: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"there are {', '.join(known)}")
        return value

    return AfterValidator(check)


Test = Annotated[Text, Field(max_length=1100), AfterValidator(_checked_test)]
Kind = Annotated[str, _one_of(KINDS), Field(json_schema_extra={"enum": [*KINDS]})]
Tier = Annotated[str, _one_of(TIERS), Field(json_schema_extra={"enum": [*TIERS]})]

# Described in full for STAC, and once in the contract is enough.
Outline = Annotated[Geometry, WithJsonSchema({"type": "object", "description": "A GeoJSON geometry. Not with `bbox`."})]


class _ObjectSearch(BaseModel):
    """Which objects: all that is given must hold, several values of one are alternatives, but of `property`."""

    model_config = ConfigDict(extra="forbid", validate_by_name=False)

    q: Annotated[Text, AfterValidator(check_term_count)] | None = Field(
        None,
        max_length=200,
        description="Words, all somewhere in its texts or those of its product; or an id.",
    )
    product: Words = Field([], description="SKU.")
    datetime: Datetime | None = None
    kind: list[Kind] = Field([], max_length=10, description="Of its files.")
    tier: list[Tier] = Field([], max_length=10, description="Of its files.")
    min_bytes: Size | None = None
    max_bytes: Size | None = None
    tests: list[Test] = Field(
        [],
        alias="property",
        max_length=MAX_TESTS,
        description="As in `eo:cloud_cover<20`; `<`, `<=`, `>`, `>=`, `=`, `!=`.",
    )
    sort: ObjectSort = Field(ObjectSort.NEWEST, description="A minus means descending.")
    facets: list[Facet] = Field([], max_length=10, description="What to count the matches by.")
    limit: int = Field(50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(None, max_length=5000, description="`next_cursor` of the page before.")

    @property
    def name(self) -> str:
        """The name that binds cursors to this list."""
        meaning = self.model_dump(
            mode="json", exclude={"cursor", "limit", "facets"}, exclude_defaults=True, by_alias=True
        )
        return f"objects {meaning}"

    def to_filter(self, text: ObjectFilter, area: SearchArea | None) -> ObjectFilter:
        """The filter, with what `q` is searched for and where."""
        time = Interval(None, None) if self.datetime is None else interval_of(self.datetime)
        return replace(
            text,
            area=area,
            begins=time.begins,
            ends=time.ends,
            kinds=tuple(self.kind),
            tiers=tuple(self.tier),
            min_bytes=self.min_bytes,
            max_bytes=self.max_bytes,
            properties=tuple(map(property_test, self.tests)),
        )


class ObjectQuery(_ObjectSearch):
    """A search by GET."""

    datetime: Annotated[Datetime, BeforeValidator(with_plus)] | None = None
    bbox: TextBox | None = None
    intersects: Annotated[TextGeometry | None, AfterValidator(one_place)] = None

    @property
    def area(self) -> SearchArea | None:
        """Where to look."""
        box = None if self.bbox is None else numbers_of(self.bbox)
        return area_wanted(box, None if self.intersects is None else geometry_of(self.intersects))


class ObjectSearchBody(_ObjectSearch):
    """A search by POST."""

    model_config = ConfigDict(extra="forbid", strict=True)

    min_bytes: Annotated[Size, WHOLE] | None = None
    max_bytes: Annotated[Size, WHOLE] | None = None
    sort: Annotated[ObjectSort, Strict(False)] = ObjectSort.NEWEST
    facets: list[Annotated[Facet, Strict(False)]] = Field([], max_length=10)
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE), WHOLE] = 50
    bbox: NumberBox | None = None
    intersects: Annotated[Outline | None, AfterValidator(one_place)] = None

    @property
    def area(self) -> SearchArea | None:
        """Where to look."""
        return area_wanted(self.bbox, self.intersects)
