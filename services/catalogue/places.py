"""Reads where something is: GeoJSON as people write it becomes GeoJSON in degrees, and the box of it.

Longitudes may go on beyond 180, as of 0 to 360 and of tracks over the antimeridian; what crosses it is cut there
(RFC 7946, section 3.1.9). Ours: `antimeridian` knows neither points nor elevations nor 0 to 360, and bends the edges.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from models.areas import Box

TOLERANCE: Final = 0.01
"""Degrees beyond 90 or 180 that are a rounding error, or half a pixel: a thousand metres."""

MAX_POSITIONS: Final = 5_000
"""Points of an outline; a page of items must stay one that a client can hold."""

# Rings in rings: how deep the coordinates of each type are nested (RFC 7946, section 3.1.1).
_DEPTHS: Final = {
    "Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3,
}  # fmt: skip
_SHORTEST: Final = {"Point": 1, "LineString": 2, "Polygon": 4}
"""How many positions a line of each has at least; those of polygons are closed."""

_WORLD_MAP: Final = 20
"""What is this many times as tall as wide over the antimeridian is a map of the world without its last pixels."""

_DECIMALS: Final = 9
"""Of degrees that were turned: a tenth of a millimetre."""

Line = list[tuple[float, float]]


class Place(NamedTuple):
    """A GeoJSON geometry in degrees, and its box."""

    geometry: dict[str, Any]
    box: Box


class Unfit(ValueError):
    """Something that is not as the standard says."""


def place_of(geometry: Any, bbox: Any, odd: set[str]) -> Place | None:
    """Read the place of an item, None where it has none; `odd` gets what follows “some of the items”."""
    box = None if bbox is None else box_in_degrees(bbox)
    if geometry is None:
        if box is None:
            return None
        odd.add("have a bbox and no geometry: kept as that box")
        return Place(outline(box), box)
    try:
        return _place(geometry, box, odd)
    except Unfit:
        if box is None:
            odd.add("have a geometry that is no GeoJSON in degrees: kept without it")
            return None
        odd.add("have a geometry that is no GeoJSON in degrees: kept as their bbox")
        return Place(outline(box), box)


def box_in_degrees(raw: Any) -> Box | None:
    """Read a bbox of four or six numbers; None where it cannot be one."""
    if not isinstance(raw, list) or len(raw) not in {4, 6} or not all(is_number(number) for number in raw):
        return None
    half = len(raw) // 2
    try:
        (west, south), (east, north) = (_position(raw[start : start + 2], set()) for start in (0, half))
    except Unfit:
        return None
    if south > north:
        return None
    return _rolled(west, east, south, north)


def outline(box: Box) -> dict[str, Any]:
    """A box as a geometry; two where it crosses the antimeridian (RFC 7946, section 3.1.9)."""
    west, south, east, north = box
    if box.crosses:
        return {
            "type": "MultiPolygon",
            "coordinates": [[_ring(west, south, 180.0, north)], [_ring(-180.0, south, east, north)]],
        }
    return {"type": "Polygon", "coordinates": [_ring(west, south, east, north)]}


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def is_number(value: Any) -> bool:
    """Tell whether a value of JSON is a finite number, and one that every reader of JSON can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -(2**63) <= value < 2**63 if isinstance(value, int) else math.isfinite(value)


class _Part(NamedTuple):
    """A point, line or polygon, all of whose longitudes go on without a jump; the first line is the outermost."""

    kind: str
    lines: list[Line]

    @property
    def span(self) -> tuple[float, float]:
        """The westernmost and the easternmost longitude."""
        found = [x for x, _ in self.lines[0]]
        return min(found), max(found)


def _place(raw: Any, said: Box | None, odd: set[str]) -> Place:
    geometry, parts, as_written = _read(raw, odd)
    if not parts:
        raise Unfit
    latitudes = [y for part in parts for _, y in part.lines[0]]
    spans = [part.span for part in parts]
    beyond = any(west < -180 or east > 180 for west, east in spans)
    if beyond:
        odd.add("reach beyond 180 degrees: turned back, or cut at the antimeridian")
    crosses = beyond or (said is not None and said.crosses)
    box = _box_around(spans, min(latitudes), max(latitudes), crosses=crosses)
    if sum(len(line) for part in parts for line in part.lines) > MAX_POSITIONS:
        odd.add(f"have outlines of more than {MAX_POSITIONS} points: kept as their boxes")
        return Place(outline(box), box)
    if not as_written:
        geometry = _in_degrees(parts)
    if geometry is None:
        odd.add("have an outline that cannot be cut at the antimeridian: kept as their boxes")
        return Place(outline(box), box)
    return Place(geometry, box)


def _read(raw: Any, odd: set[str], *, within: bool = False) -> tuple[dict[str, Any] | None, list[_Part], bool]:
    """A geometry with nothing but its coordinates, its parts, and whether it can stay as it is written."""
    if not isinstance(raw, dict):
        raise Unfit
    if raw.get("type") == "GeometryCollection" and not within and isinstance(inner := raw.get("geometries"), list):
        found = [_read(geometry, odd, within=True) for geometry in inner]
        geometry = {"type": "GeometryCollection", "geometries": [one for one, _, _ in found]}
        return geometry, [part for _, parts, _ in found for part in parts], all(plain for *_, plain in found)
    kind, coordinates = raw.get("type"), raw.get("coordinates")
    if not isinstance(kind, str) or kind not in _DEPTHS:
        raise Unfit
    single = kind.removeprefix("Multi")
    parts, as_written, sizes = [], True, set[int]()
    for lines in _parts(coordinates, _DEPTHS[kind] - _DEPTHS[single], _DEPTHS[single]):
        read = [_line(line, single, odd) for line in lines]
        part = _Part(single, _unrolled(read, single))
        as_written = as_written and _is_same(lines, part.lines)
        sizes |= {len(position) for line in lines for position in line}
        parts.append(part)
    # Of two or three numbers each: readers trip over a mixture.
    return {"type": kind, "coordinates": coordinates}, parts, as_written and sizes in ({2}, {3})


def _parts(coordinates: Any, above: int, depth: int) -> Iterator[list[Any]]:
    """The lines of each part; a point is a line of one position."""
    if above:
        if not isinstance(coordinates, list):
            raise Unfit
        for inner in coordinates:
            yield from _parts(inner, above - 1, depth)
        return
    lines = coordinates if depth == 2 else [coordinates] if depth else [[coordinates]]
    if not isinstance(lines, list) or not lines:
        raise Unfit
    yield lines


def _line(raw: Any, kind: str, odd: set[str]) -> Line:
    if not isinstance(raw, list):
        raise Unfit
    found = [_position(position, odd) for position in raw]
    if kind == "Polygon" and found and found[0] != found[-1]:
        odd.add("have outlines that are not closed: closed")
        found.append(found[0])
    if len(found) < _SHORTEST[kind]:
        raise Unfit
    return found


def _position(raw: Any, odd: set[str]) -> tuple[float, float]:
    """A position without its elevation, and without what lies a little beyond the edges of the earth."""
    if not isinstance(raw, list) or not 2 <= len(raw) <= 4 or not all(is_number(number) for number in raw):
        raise Unfit
    x, y = raw[0], raw[1]
    if abs(x) > 360 + TOLERANCE or abs(y) > 90 + TOLERANCE:
        raise Unfit
    if abs(y) > 90:
        odd.add("have latitudes a little beyond 90: taken as 90")
        y = math.copysign(90, y)
    if 180 < abs(x) <= 180 + TOLERANCE:
        odd.add("have longitudes a little beyond 180: taken as 180")
        x = math.copysign(180, x)
    return x, y


def _is_same(written: Sequence[Sequence[Sequence[float]]], lines: Sequence[Line]) -> bool:
    """Whether lines are as they were written, and between -180 and 180."""
    return all(
        len(before) == len(after)
        and all((x, y) == found and -180 <= x <= 180 for (x, y, *_), found in zip(before, after, strict=True))
        for before, after in zip(written, lines, strict=True)
    )


def _unrolled(lines: list[Line], kind: str) -> list[Line]:
    """The same lines, going on beyond 180 where the written ones jump over the antimeridian; holes are in the shell."""
    shell = _unrolled_line(lines[0])
    if kind == "Polygon" and shell[0] != shell[-1]:
        # All the way round: what it holds is the pole.
        pole = math.copysign(90, sum(y for _, y in shell))
        shell = [*shell, (shell[-1][0], pole), (shell[0][0], pole), shell[0]]
    if shell == lines[0]:
        return lines
    west = min(x for x, _ in shell)
    return [shell, *(_east_of(west, _unrolled_line(hole)) for hole in lines[1:])]


def _unrolled_line(line: Line) -> Line:
    """Edges of more than half the earth go the other way round, unless that leaves hardly any outline."""
    if all(abs(after - before) <= 180 for (before, _), (after, _) in pairwise(line)):
        return line
    turn, found = 0, [line[0]]
    for (before, _), (after, y) in pairwise(line):
        if abs(after - before) > 180:
            turn += -360 if after > before else 360
        found.append((after + turn, y))
    width, height = (max(side) - min(side) for side in zip(*found, strict=True))
    return line if width * _WORLD_MAP <= height else found


def _east_of(west: float, hole: Line) -> Line:
    turn = 360 * math.ceil((west - min(x for x, _ in hole)) / 360)
    return [(x + turn, y) for x, y in hole]


def _box_around(spans: Sequence[tuple[float, float]], south: float, north: float, *, crosses: bool) -> Box:
    """The box of parts: over the antimeridian where one is, or two meet there, or the item says so."""
    turned = sorted((_turned(west), _turned(west) + east - west) for west, east in spans)
    west, east = turned[0][0], max(end for _, end in turned)
    meet = west == -180 and any(end == 180 for _, end in turned)
    if east <= 180 and not meet and not crosses:
        return Box(float(west), float(south), float(east), float(north))
    return _rolled(*_narrowest(turned), south, north)


def _narrowest(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The sides of the narrowest box: beyond the widest gap between spans, once round the earth."""
    first = spans[0][0]
    reached = max(spans[0][1], max(end for _, end in spans) - 360)
    widest, sides = -math.inf, (-180.0, 180.0)
    for west, east in [*spans[1:], (first + 360, first + 360)]:
        if west - reached > max(widest, 0):
            widest, sides = west - reached, (west, reached + 360)
        reached = max(reached, east)
    return sides


def _rolled(west: float, east: float, south: float, north: float) -> Box:
    """The box of longitudes that go on."""
    west, east = (-180, 180) if east - west >= 360 else (_turned(west), _turned(east))
    return Box(float(west), float(south), float(east), float(north))


def _turned(x: float) -> float:
    """The same meridian between -180 and 180."""
    return x if -180 <= x <= 180 else round((x + 180) % 360 - 180, _DECIMALS)


def _in_degrees(parts: Iterable[_Part]) -> dict[str, Any] | None:
    """Parts as one geometry between -180 and 180, cut there; None where one cannot be cut."""
    pieces: dict[str, list[Any]] = {}
    for part in parts:
        west, east = part.span
        turn, last = (math.floor((x + 180) / 360) for x in (west, east))
        if turn == last or (east == 360 * last - 180 and turn == last - 1):
            found = [_turned_back(part.lines, turn)]
        else:
            found = list(_cut(part, turn, last))
        if not found:
            return None
        pieces.setdefault(part.kind, []).extend(line[0][0] if part.kind == "Point" else line for line in found)
    geometries = [_geometry(kind, found) for kind, found in pieces.items()]
    return geometries[0] if len(geometries) == 1 else {"type": "GeometryCollection", "geometries": geometries}


def _geometry(kind: str, pieces: list[Any]) -> dict[str, Any]:
    """Pieces of one kind as a geometry."""
    coordinates = [piece[0] for piece in pieces] if kind == "LineString" else pieces
    if len(coordinates) == 1:
        return {"type": kind, "coordinates": coordinates[0]}
    return {"type": f"Multi{kind}", "coordinates": coordinates}


def _turned_back(lines: Iterable[Iterable[Sequence[float]]], turn: int) -> list[list[list[float]]]:
    return [[[round(x - 360 * turn, _DECIMALS) if turn else x, y] for x, y, *_ in line] for line in lines]


def _cut(part: _Part, first: int, last: int) -> Iterator[list[list[list[float]]]]:
    """The pieces of a line or polygon on each turn round the earth."""
    # Hardly ever needed, and as slow to load as all else of an import.
    import shapely

    shape = shapely.LineString(part.lines[0]) if part.kind == "LineString" else _polygon(part.lines)
    for turn in range(first, last + 1):
        west = 360 * turn - 180
        try:
            piece = shapely.intersection(shape, shapely.box(west, -90, west + 360, 90))
        except shapely.errors.GEOSException:
            return
        for one in getattr(piece, "geoms", [piece]):
            if one.geom_type == part.kind and not one.is_empty:
                lines = [one] if part.kind == "LineString" else [one.exterior, *one.interiors]
                yield _turned_back((line.coords for line in lines), turn)


def _polygon(lines: Sequence[Line]) -> Any:
    import shapely

    found = shapely.Polygon(lines[0], lines[1:])
    return found if found.is_valid else shapely.make_valid(found)
