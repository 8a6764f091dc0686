"""Which objects are in an area, decided by their geometries with shapely; an index of boxes only narrows them down.

All happens on the plane of longitudes and latitudes, where a line is straight (RFC 7946, section 3.1.1). Geometries
are taken apart into points, lines and polygons: of each by itself it is certain what is inside, however it crosses
itself, while parts that overlap would cancel each other out.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
import orjson
import shapely

from models.areas import Box, Part, SearchArea, area_of_box


class Located(Protocol):
    """An object with its geometry and its unrolled box, as the catalogue has them."""

    geometry: Any
    west: float
    south: float
    east: float
    north: float


LocatedRow = TypeVar("LocatedRow", bound=Located)


class AreaMatcher:
    """Decides of objects whose boxes overlap an area whether they are in it. It computes: call it in a thread."""

    def __init__(self, area: SearchArea) -> None:
        self._area = area

    def among(self, rows: Sequence[LocatedRow]) -> list[LocatedRow]:
        """Those of the objects that have a point in common with the area, in their order."""
        open_ = [index for index, row in enumerate(rows) if not self._holds_box_of(row)]
        inside = np.ones(len(rows), dtype=bool)
        inside[open_] = self._touch([rows[index] for index in open_])
        return [row for row, is_inside in zip(rows, inside, strict=True) if is_inside]

    def _holds_box_of(self, row: Located) -> bool:
        """Whether there is nothing to compute, because all of the object is in the box that is searched."""
        return self._area.is_box and any(
            west <= row.west and row.east <= east and south <= row.south and row.north <= north
            for west, south, east, north in self._area.boxes[0].everywhere
        )

    def _touch(self, rows: Sequence[Located]) -> Any:
        touching = np.zeros(len(rows), dtype=bool)
        parts, owners = _taken_apart(_shapes(rows))
        indexes, _ = self._tree.query(parts, predicate="intersects")
        touching[owners[indexes]] = True
        return touching

    @cached_property
    def _tree(self) -> shapely.STRtree:
        """The parts of the area, once more round the earth in both directions."""
        here = [_shape_of_part(part) for part in self._area.parts]
        return shapely.STRtree([_turned(shape, turn) for turn in (-360, 0, 360) for shape in here])


def _shape_of_part(part: Part) -> Any:
    match part.kind:
        case "Point":
            return shapely.Point(part.coordinates)
        case "LineString":
            return shapely.LineString(part.coordinates)
        case _:
            return shapely.Polygon(part.coordinates[0], part.coordinates[1:])


def _turned(shape: Any, turn: float) -> Any:
    return shapely.transform(shape, lambda positions: positions + np.array((turn, 0))) if turn else shape


def _shapes(rows: Sequence[Located]) -> Any:
    """The geometries of objects, beside their unrolled boxes; where one cannot be read, its box stands for it."""
    shapes = shapely.from_geojson([orjson.dumps(row.geometry).decode() for row in rows], on_invalid="ignore")
    unread = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    for index, row in enumerate(rows):
        if unread[index]:
            (part,) = area_of_box(Box(row.west, row.south, row.east, row.north)).parts
            shapes[index] = _shape_of_part(part)
        elif row.east > 180:
            shapes[index] = _unrolled(shapes[index], row)
    return shapes


def _unrolled(shape: Any, row: Located) -> Any:
    """A geometry across the antimeridian in one piece, whether it was cut there, goes on beyond it, or neither."""
    # Half way round the part of the earth where it is not: boxes are rounded.
    cut = (row.west + row.east - 360) / 2

    def to_the_east(positions: Any) -> Any:
        longitudes = positions[:, 0]
        return np.column_stack((np.where(longitudes < cut, longitudes + 360, longitudes), positions[:, 1]))

    return shapely.transform(shape, to_the_east)


def _taken_apart(shapes: Any) -> tuple[Any, Any]:
    """The points, lines and polygons of geometries, and of which of these each is."""
    parts, owners = shapes, np.arange(len(shapes))
    while np.any(shapely.get_type_id(parts) >= shapely.GeometryType.MULTIPOINT):
        parts, indexes = shapely.get_parts(parts, return_index=True)
        owners = owners[indexes]
    return parts, owners
