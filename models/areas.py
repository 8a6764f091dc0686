"""Areas to search: boxes and GeoJSON geometries, checked, and brought near the meridians that items lie between.

Longitudes may go on beyond 180 for once round the earth; an area keeps its shape and goes on to the east of its
western end. Positions are longitude and latitude on WGS 84 (RFC 7946, section 4); elevations say nothing here.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

MAX_POSITIONS: Final = 10_000
"""Positions of a geometry that is searched by."""
MAX_NESTED_COLLECTIONS: Final = 8
MAX_BOXES: Final = 8
"""Parts of a geometry that an index is asked for one by one; of more than these the box of all."""
POLE_TOLERANCE: Final = 1e-6
"""Degrees beyond a pole that are taken for the pole: some ten centimetres, which rounding makes."""
FURTHEST: Final = 360.0
"""The longitude up to which areas may go on round the earth."""


class Box(NamedTuple):
    """Degrees; `west` above `east` crosses the antimeridian (RFC 7946, section 5.2)."""

    west: float
    south: float
    east: float
    north: float

    @property
    def crosses(self) -> bool:
        """Whether it crosses the antimeridian."""
        return self.west > self.east

    @property
    def unrolled(self) -> "Box":
        """The same place with its west below its east, which then goes on beyond 180."""
        return self._replace(east=self.east + 360) if self.crosses else self

    @property
    def everywhere(self) -> "tuple[Box, Box, Box]":
        """The same place once more round the earth in both directions, so that unrolled boxes can be compared."""
        west, south, east, north = self.unrolled
        back, here, on = (Box(west + turn, south, east + turn, north) for turn in (-360, 0, 360))
        return back, here, on


def rolled(west: float, south: float, east: float, north: float) -> Box:
    """The box of which these are the unrolled sides."""
    return Box(west, south, east - 360 if east > 180 else east, north)


def box_of(numbers: Sequence[float]) -> Box:
    """The box of a `bbox` of four numbers, or six with elevations, which no object has. Raises ValueError."""
    if len(numbers) not in {4, 6}:
        raise ValueError(f"a box has four numbers, west,south,east,north, or six with elevations, not {len(numbers)}")
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a box is made of finite numbers")
    half = len(numbers) // 2
    west, south, east, north = (float(number) for number in (*numbers[:2], *numbers[half : half + 2]))
    south, north = _latitude(south), _latitude(north)
    if south > north:
        raise ValueError("the south of a box is not above its north; the order is west,south,east,north")
    if half == 3 and numbers[2] > numbers[5]:
        raise ValueError("the lowest elevation of a box is not above its highest")
    if west > east and not -180 <= east < west <= 180:
        raise ValueError("a box whose west is above its east crosses the antimeridian, with both from -180 to 180")
    _check_longitudes(west, east)
    if west >= -180 and east <= 180:
        return Box(west, south, east, north)
    return _around(Box(west, south, east, north))


def _check_longitudes(*longitudes: float) -> None:
    if any(abs(longitude) > FURTHEST for longitude in longitudes):
        raise ValueError("longitudes are from -180 to 180, and may go on round the earth up to 360 but no further")


def _latitude(value: float) -> float:
    """A latitude; what rounding has put beyond a pole is the pole. Raises ValueError."""
    if abs(value) > 90 + POLE_TOLERANCE:
        raise ValueError("latitudes are from -90 to 90; longitude comes first")
    return max(-90.0, min(90.0, value))


def _around(unrolled: Box) -> Box:
    """A box that may go on beyond 180 on either side, as boxes that cross the antimeridian are written."""
    west, south, east, north = unrolled
    if east - west >= 360:
        return Box(-180.0, south, 180.0, north)
    turn = _turn(west)
    return rolled(west + turn, south, east + turn, north)


def _turn(west: float) -> float:
    """The turn round the earth that brings a western end to where items are."""
    return -360.0 if west >= 180 else 360.0 if west < -180 else 0.0


class Part(NamedTuple):
    """A point, a line or a polygon; the coordinates of a point are one position, those of a polygon rings of them."""

    kind: str
    coordinates: Any


@dataclass(frozen=True)
class SearchArea:
    """Where to search. Its parts may overlap and cross themselves; `boxes` are round all of them."""

    parts: tuple[Part, ...]
    boxes: tuple[Box, ...]
    is_box: bool = False
    """Whether it is all of its one box."""


def area_of_box(box: Box) -> SearchArea:
    """All of a box, which may be as narrow as a line or a point."""
    west, south, east, north = box.unrolled
    if west == east and south == north:
        part = Part("Point", (west, south))
    elif west == east or south == north:
        part = Part("LineString", [(west, south), (east, north)])
    else:
        part = Part("Polygon", [[(west, south), (east, south), (east, north), (west, north), (west, south)]])
    return SearchArea((part,), (box,), is_box=True)


def area_of_geometry(raw: Any) -> SearchArea:
    """The area of a GeoJSON geometry of any of the seven types. Raises ValueError."""
    parts = tuple(_Reader().parts(raw))
    spans = [_span(part) for part in parts]
    if len(spans) > MAX_BOXES:
        spans = [_round_all(spans)]
    whole = _round_all(spans)
    if whole.east - whole.west > 360:
        raise ValueError("this spans more than 360 degrees of longitude")
    # All parts go the same way round, so that what was together stays so.
    turn = _turn(whole.west)
    moved = parts if not turn else tuple(Part(kind, _moved(inner, turn)) for kind, inner in parts)
    return SearchArea(moved, tuple(_around(span) for span in spans))


def _moved(coordinates: Any, turn: float) -> Any:
    if isinstance(coordinates, tuple):
        return (coordinates[0] + turn, coordinates[1])
    return [_moved(inner, turn) for inner in coordinates]


def _positions_of(part: Part) -> list[tuple[float, float]]:
    if part.kind == "Point":
        return [part.coordinates]
    return part.coordinates if part.kind == "LineString" else [at for ring in part.coordinates for at in ring]


def _span(part: Part) -> Box:
    positions = _positions_of(part)
    longitudes, latitudes = [x for x, _ in positions], [y for _, y in positions]
    return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def _round_all(spans: Sequence[Box]) -> Box:
    wests, souths, easts, norths = zip(*spans, strict=True)
    return Box(min(wests), min(souths), max(easts), max(norths))


_SINGLE: Final[Mapping[str, str]] = {
    "MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon",
}  # fmt: skip
TYPES: Final = ("Point", "LineString", "Polygon", *_SINGLE, "GeometryCollection")
"""The types of geometries (RFC 7946, section 3.1)."""


class _Reader:
    """Reads a geometry and stops at the first thing that is wrong with it."""

    def __init__(self) -> None:
        self._positions = 0

    def parts(self, raw: Any, nested: int = 0) -> Iterator[Part]:
        """The points, lines and polygons of a geometry. Raises ValueError."""
        kind = self._kind(raw)
        if kind == "GeometryCollection":
            if nested >= MAX_NESTED_COLLECTIONS:
                raise ValueError(f"collections of geometries lie in each other more than {MAX_NESTED_COLLECTIONS} deep")
            for inner in _list(raw.get("geometries"), "`geometries` of a GeometryCollection is a list of geometries"):
                yield from self.parts(inner, nested + 1)
        elif kind in _SINGLE:
            for inner in _list(raw.get("coordinates"), f"the coordinates of a {kind} are a list"):
                yield self._part(_SINGLE[kind], inner)
        else:
            yield self._part(kind, raw.get("coordinates"))

    def _kind(self, raw: Any) -> str:
        kind = raw.get("type") if isinstance(raw, dict) else None
        if kind in ("Feature", "FeatureCollection"):
            raise ValueError(f"this is a {kind}; send the geometry of one alone")
        if not isinstance(kind, str) or kind not in TYPES:
            raise ValueError(f"a GeoJSON geometry is an object whose `type` is one of {', '.join(TYPES)}")
        if "crs" in raw:
            raise ValueError("positions are longitude and latitude on WGS 84; leave `crs` out")
        return kind

    def _part(self, kind: str, coordinates: Any) -> Part:
        if kind == "Point":
            return Part(kind, self._position(coordinates))
        if kind == "LineString":
            return Part(kind, self._line(coordinates, 2, "a LineString has at least two positions"))
        return Part(kind, [self._ring(ring) for ring in _list(coordinates, "a Polygon is a list of rings")])

    def _ring(self, raw: Any) -> list[tuple[float, float]]:
        ring = self._line(raw, 4, "a ring of a Polygon has at least four positions")
        if ring[0] != ring[-1]:
            raise ValueError("a ring of a Polygon ends at the position where it begins")
        return ring

    def _line(self, raw: Any, least: int, text: str) -> list[tuple[float, float]]:
        if len(positions := _list(raw, text)) < least:
            raise ValueError(text)
        return [self._position(position) for position in positions]

    def _position(self, raw: Any) -> tuple[float, float]:
        self._positions += 1
        if self._positions > MAX_POSITIONS:
            raise ValueError(f"a geometry to search by has at most {MAX_POSITIONS} positions; simplify it")
        if not isinstance(raw, list) or not 2 <= len(raw) <= 4 or not all(map(_is_number, raw)):
            raise ValueError("a position is a list of longitude, latitude and perhaps an elevation, all finite numbers")
        longitude, latitude = float(raw[0]), _latitude(float(raw[1]))
        _check_longitudes(longitude)
        return longitude, latitude


def _list(raw: Any, text: str) -> list[Any]:
    if not isinstance(raw, list):
        raise ValueError(text)  # noqa: TRY004 - the value is a stranger's
    if not raw:
        raise ValueError("there is a geometry without any position, which nothing could intersect")
    return raw


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
