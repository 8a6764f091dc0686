"""Whether an object is in an area is decided by its geometry: on both sides of the antimeridian, inside and out."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from models.areas import Box, area_of_box, area_of_geometry
from services.catalogue_areas import AreaMatcher


def of(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates}


def ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def polygon(*sides: float) -> dict[str, Any]:
    return of("Polygon", [ring(*sides)])


def row(geometry: Any, *box: float) -> Any:
    """An object with its unrolled box; that of its geometry, unless another is said."""
    west, south, east, north = box or shapely.from_geojson(str(geometry).replace("'", '"')).bounds
    return SimpleNamespace(geometry=geometry, west=west, south=south, east=east, north=north)


L_SHAPE = of("Polygon", [[[0, 0], [10, 0], [10, 2], [2, 2], [2, 10], [0, 10], [0, 0]]])
SLANTED = of("Polygon", [[[0, 0], [1, 0], [11, 10], [10, 10], [0, 0]]])
BOW_TIE = of("Polygon", [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]])
WITH_HOLE = of("Polygon", [ring(0, 0, 10, 10), ring(2, 2, 8, 8)])
OVERLAPPING = of("MultiPolygon", [[ring(0, 0, 6, 6)], [ring(4, 4, 10, 10)]])
COLLECTION = {"type": "GeometryCollection", "geometries": [of("Point", [5, 5]), polygon(0, 0, 1, 1)]}
SWATH = of("LineString", [[0, 0], [10, 10]])

CUT = of("MultiPolygon", [[ring(170, -10, 180, 10)], [ring(-180, -10, -170, 10)]])
BEYOND = polygon(170, -10, 190, 10)
JUMPING = of("Polygon", [[[170, -10], [-170, -10], [-170, 10], [170, 10], [170, -10]]])
ACROSS = (170, -10, 190, 10)


@pytest.mark.parametrize(
    ("geometry", "near", "inside"),
    [
        (L_SHAPE, polygon(5, 5, 9, 9), False),
        (L_SHAPE, polygon(5, 1, 9, 9), True),
        (SLANTED, polygon(7, 1, 9, 3), False),
        (SLANTED, of("Point", [5.5, 5]), True),
        (BOW_TIE, of("Point", [5, 1]), False),
        (BOW_TIE, of("Point", [1, 5]), True),
        (WITH_HOLE, polygon(4, 4, 6, 6), False),
        (WITH_HOLE, polygon(4, 4, 9, 6), True),
        (OVERLAPPING, of("Point", [5, 5]), True),
        (OVERLAPPING, of("Point", [2, 8]), False),
        (COLLECTION, of("Point", [5, 5]), True),
        (COLLECTION, polygon(2, 2, 4, 4), False),
        (SWATH, of("LineString", [[0, 10], [10, 0]]), True),
        (SWATH, of("MultiPoint", [[0, 1], [1, 2]]), False),
        (SWATH, of("MultiPoint", [[0, 1], [2, 2]]), True),
        (polygon(0, 0, 1, 1), polygon(1, 1, 2, 2), True),
        (polygon(0, 0, 1, 1), polygon(1.0001, 1, 2, 2), False),
        (of("Point", [7, 7]), polygon(0, 0, 9, 9), True),
    ],
)
def test_geometries_decide_whichever_of_the_two_is_asked_for(geometry: Any, near: Any, inside: bool) -> None:
    for mine, theirs in ((geometry, near), (near, geometry)):
        found = row(mine)
        assert AreaMatcher(area_of_geometry(theirs)).among([found]) == [found] * inside


@pytest.mark.parametrize("geometry", [CUT, BEYOND, JUMPING])
@pytest.mark.parametrize(
    ("near", "inside"),
    [
        (of("Point", [180, 0]), True),
        (of("Point", [-180, 0]), True),
        (of("Point", [175, 0]), True),
        (of("Point", [-175, 0]), True),
        (of("Point", [185, 0]), True),
        (of("Point", [-185, 0]), True),
        (of("Point", [169, 0]), False),
        (of("Point", [-169, 0]), False),
        (of("Point", [0, 0]), False),
        (of("Point", [180, 11]), False),
        (polygon(-100, -5, 100, 5), False),
        (polygon(100, -5, 170, 5), True),
        (polygon(-170, -5, -100, 5), True),
        (polygon(190, -5, 260, 5), True),
        (polygon(191, -5, 260, 5), False),
        (CUT, True),
        (BEYOND, True),
        (of("MultiPoint", [[179.5, 50], [-179.5, 0]]), True),
    ],
)
def test_an_object_across_the_antimeridian_is_there_and_nowhere_else(geometry: Any, near: Any, inside: bool) -> None:
    found = row(geometry, *ACROSS)
    assert AreaMatcher(area_of_geometry(near)).among([found]) == [found] * inside


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(178, 0, -178, 1), True),
        (Box(160, -20, -160, 20), True),
        (Box(-175, 0, -160, 1), True),
        (Box(-169, 0, 169, 1), False),
        (Box(-180, -90, 180, 90), True),
        (Box(-169, 0, -100, 1), False),
        (Box(180, 0, 180, 0), True),
        (Box(-180, 5, -180, 15), True),
        (Box(175, 10, 178, 10), True),
        (Box(175, 11, 178, 11), False),
    ],
)
def test_a_box_finds_what_it_touches_across_the_antimeridian(box: Box, inside: bool) -> None:
    found = row(CUT, *ACROSS)
    assert AreaMatcher(area_of_box(box)).among([found]) == [found] * inside


def test_a_rounded_box_tears_no_geometry_apart() -> None:
    found = row(CUT, 170.0004, -10, 189.9996, 10)
    assert AreaMatcher(area_of_geometry(polygon(-100, -5, 100, 5))).among([found]) == []
    assert AreaMatcher(area_of_geometry(of("Point", [170.0001, 0]))).among([found]) == [found]


@pytest.mark.parametrize(
    "geometry",
    [
        of("Polygon", [[[0, 0], [1, 1]]]),
        of("Polygon", []),
        of("Point", [5, 5, 1, 1]),
        of("Polygon", [[[0, 0], [9, 0], [9, 9]]]),
        {"type": "Nonsense"},
    ],
)
def test_for_a_geometry_that_cannot_be_read_its_box_stands(geometry: Any) -> None:
    found = row(geometry, 0, 0, 9, 9)
    assert AreaMatcher(area_of_geometry(of("Point", [5, 5]))).among([found]) == [found]
    assert AreaMatcher(area_of_geometry(of("Point", [10, 5]))).among([found]) == []


def test_the_order_stays_and_only_what_is_outside_goes() -> None:
    rows = [row(polygon(n, 0, n + 0.5, 1)) for n in range(20)]
    assert AreaMatcher(area_of_geometry(polygon(4.8, 0, 9.2, 1))).among(rows) == rows[5:10]
    assert AreaMatcher(area_of_box(Box(4.8, 0, 9.2, 1))).among(rows) == rows[5:10]
    assert AreaMatcher(area_of_box(Box(4.8, 0, 9.2, 1))).among([]) == []


positions = st.tuples(st.integers(-8, 8), st.integers(-8, 8)).map(list)
rings = st.lists(positions, min_size=3, max_size=9).map(lambda corners: [*corners, corners[0]])


@settings(max_examples=50)
@given(st.lists(rings, min_size=1, max_size=3), positions, st.booleans())
def test_polygons_of_any_shape_hold_a_point_or_not_wherever_on_the_plane(
    polygons: list[Any], point: list[int], once_round: bool
) -> None:
    several = of("MultiPolygon", [[each] for each in polygons])
    turn = (-360 if point[0] > 0 else 360) * once_round
    moved = of("Point", [point[0] + turn, point[1]])
    inside = any(_even_odd(each, point) for each in polygons)
    assert len(AreaMatcher(area_of_geometry(moved)).among([row(several, -8, -8, 8, 8)])) == inside
    assert len(AreaMatcher(area_of_geometry(several)).among([row(of("Point", point), *point, *point)])) == inside


def _even_odd(corners: list[list[int]], point: list[int]) -> bool:
    """Whether a point is on a ring or inside of it, by counting the sides that a ray from it crosses."""
    x, y = point
    crossings = 0
    for (x1, y1), (x2, y2) in pairwise(corners):
        cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if cross == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
        if (y1 > y) != (y2 > y):
            crossings += (cross > 0) == (y2 > y1)
    return crossings % 2 == 1
