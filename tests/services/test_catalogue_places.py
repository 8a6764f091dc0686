"""Places as people write them: over the antimeridian, beyond 180, a little beyond the pole, or not at all."""

from typing import Any

import pytest
from shapely.geometry import shape

from services.catalogue.places import MAX_POSITIONS, box_in_degrees, place_of


def ring(*corners: tuple[float, float]) -> list[list[float]]:
    return [list(corner) for corner in [*corners, corners[0]]]


def polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring(*corners)]}


def square(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return polygon((west, south), (east, south), (east, north), (west, north))


def multi(kind: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"Multi{kind}", "coordinates": [part["coordinates"] for part in parts]}


def point(*numbers: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [*numbers]}


def line(*positions: list[float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [*positions]}


SQUARE = square(1, 2, 3, 4)
SPLIT = multi("Polygon", square(178, -18, 180, -16), square(-180, -18, -178, -16))
WORLD = square(-180, -90, 180, 90)
TURNED = "reach beyond 180 degrees: turned back, or cut at the antimeridian"

POLAR = "have latitudes a little beyond 90: taken as 90"
EDGE = "have longitudes a little beyond 180: taken as 180"


@pytest.mark.parametrize(
    ("geometry", "box"),
    [
        (point(5, 6), (5, 6, 5, 6)),
        (point(5, 6, 700), (5, 6, 5, 6)),
        (line([5, 6], [-7, 8]), (-7, 6, 5, 8)),
        (SQUARE, (1, 2, 3, 4)),
        (multi("Polygon", SQUARE, square(9, 9, 10, 10)), (1, 2, 10, 10)),
        ({"type": "GeometryCollection", "geometries": [SQUARE, point(-5, 0)]}, (-5, 0, 3, 4)),
        (polygon((0, 20), (1, 20), (21, 40), (20, 40)), (0, 20, 21, 40)),
        (multi("Point", point(170, 0), point(-170, 5)), (-170, 0, 170, 5)),
        (WORLD, (-180, -90, 180, 90)),
        (multi("Polygon", square(-180, -50, 0, 50), square(0, -50, 180, 50)), (-180, -50, 180, 50)),
        # A map of the world by the middles of its pixels.
        (square(-179.5, -60, 179.5, 60), (-179.5, -60, 179.5, 60)),
        (SPLIT, (178, -18, -178, -16)),
        (multi("Polygon", *(square(*sides) for sides in [(0, 0, 9, 1), (-180, 0, -178, 1), (178, 0, 180, 1)])),
         (0, 0, -178, 1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("bbox", [None, [-180, -18, 180, -16], [1, 2, 3], [1, 5, 3, 2], ["a", 2, 3, 4], "world"])
def test_what_is_in_degrees_stays_as_it_is_and_has_the_box_that_is_around_it(
    geometry: Any, box: tuple[float, ...], bbox: Any
) -> None:
    odd: set[str] = set()
    assert place_of(geometry, bbox, odd) == (geometry, box)
    assert odd == set()


@pytest.mark.parametrize(
    ("geometry", "meant", "box"),
    [
        (square(350, -1, 359, 1), square(-10, -1, -1, 1), (-10, -1, -1, 1)),
        (point(190, 5), point(-170, 5), (-170, 5, -170, 5)),
        (point(-190, 5, 30), point(170, 5), (170, 5, 170, 5)),
        (square(180, 0, 190, 5), square(-180, 0, -170, 5), (-180, 0, -170, 5)),
        (square(170, 0, 190, 5), multi("Polygon", square(170, 0, 180, 5), square(-180, 0, -170, 5)), (170, 0, -170, 5)),
        (square(-180.67, -18, -178.55, -16),
         multi("Polygon", square(179.33, -18, 180, -16), square(-180, -18, -178.55, -16)), (179.33, -18, -178.55, -16)),
        (polygon((178, -18), (-178, -18), (-178, -16), (178, -16)), SPLIT, (178, -18, -178, -16)),
        (line([170, 0], [-170, 5]), multi("LineString", line([170, 0], [180, 2.5]), line([-180, 2.5], [-170, 5])),
         (170, 0, -170, 5)),
        (multi("Point", point(170, 0), point(190, 5)), multi("Point", point(170, 0), point(-170, 5)),
         (170, 0, -170, 5)),
        (square(0, -90, 360, 90), WORLD, (-180, -90, 180, 90)),
        # Once round the pole, and over it.
        (polygon((-150, 70), (-50, 75), (50, 70), (150, 75)),
         polygon((-180, 72.5), (-150, 70), (-50, 75), (50, 70), (150, 75), (180, 72.5), (180, 90), (-180, 90)),
         (-180, 70, 180, 90)),
        # One that crosses itself.
        (polygon((170, 0), (190, 5), (190, 0), (170, 5)),
         multi("Polygon", polygon((170, 0), (180, 2.5), (170, 5)), polygon((-180, 2.5), (-170, 5), (-170, 0))),
         (170, 0, -170, 5)),
        ({"type": "GeometryCollection", "geometries": [point(190, 5), square(170, 0, 190, 5)]},
         {"type": "GeometryCollection", "geometries": [point(-170, 5), multi(
             "Polygon", square(170, 0, 180, 5), square(-180, 0, -170, 5))]}, (170, 0, -170, 5)),
    ],
)  # fmt: skip
def test_what_reaches_beyond_180_is_turned_back_or_cut(geometry: Any, meant: Any, box: tuple[float, ...]) -> None:
    odd: set[str] = set()
    place = place_of(geometry, None, odd)
    assert place is not None
    assert place.box == box
    assert shape(place.geometry).equals(shape(meant))
    assert odd == {TURNED}


def test_holes_are_cut_with_what_they_are_in() -> None:
    shell, hole = ring((170, 0), (-170, 0), (-170, 9), (170, 9)), ring((175, 2), (-175, 2), (-175, 8), (175, 8))
    far = ring((-179, 1), (-178, 1), (-178, 1.5))
    place = place_of({"type": "Polygon", "coordinates": [shell, hole, far]}, None, set())
    assert place is not None
    east, west = shape(square(170, 0, 180, 9)), shape(square(-180, 0, -170, 9))
    without = [square(175, 2, 180, 8), square(-180, 2, -175, 8), polygon((-179, 1), (-178, 1), (-178, 1.5))]
    left = east.union(west)
    for one in without:
        left = left.difference(shape(one))
    assert shape(place.geometry).equals(left)


@pytest.mark.parametrize(
    ("geometry", "meant", "what"),
    [
        (square(0, 80, 1, 90.0000001), square(0, 80, 1, 90), POLAR),
        (square(-180.004, -90.004, 180, 0), square(-180, -90, 180, 0), EDGE),
        (square(179, 0, 180.001, 1), square(179, 0, 180, 1), EDGE),
        ({"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2]]]}, polygon((1, 1), (2, 1), (2, 2)),
         "have outlines that are not closed: closed"),
        (line([1, 2, 3], [4, 5]), line([1, 2], [4, 5]), None),
        (line([1, 2, 3, 4], [4, 5, 6, 7]), line([1, 2], [4, 5]), None),
    ],
)  # fmt: skip
def test_slips_are_put_right_and_told(geometry: Any, meant: Any, what: str | None) -> None:
    odd: set[str] = set()
    place = place_of(geometry, None, odd)
    assert place is not None
    assert shape(place.geometry).equals(shape(meant))
    assert what is None or what in odd


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Circle", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[]]},
        {"type": "Polygon", "coordinates": [[[1, 1], [2, 2]]]},
        {"type": "MultiPolygon", "coordinates": {}},
        {"type": "Polygon"},
        {"type": ["Point"], "coordinates": [1, 2]},
        {"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}]},
        {"type": "GeometryCollection", "geometries": []},
        *(point(*numbers) for numbers in ([1], [0, 90.1], [50, 120], [361, 0], [500000, 4200000], [10**30, 0])),
        *({"type": "Point", "coordinates": numbers} for numbers in (["1", "2"], None, [float("nan"), 1], [True, 1])),
        point(0, 0, 10**30),
        point(0, 0, float("inf")),
        line([0, 0]),
        "everywhere",
        [1, 2],
    ],
)
def test_what_is_no_place_is_told_and_the_bbox_stands_for_it(geometry: Any) -> None:
    odd: set[str] = set()
    assert place_of(geometry, None, odd) is None
    assert "have a geometry that is no GeoJSON in degrees: kept without it" in odd
    odd.clear()
    assert place_of(geometry, [1, 2, 3, 4], odd) == (SQUARE, (1, 2, 3, 4))
    assert "have a geometry that is no GeoJSON in degrees: kept as their bbox" in odd


@pytest.mark.parametrize(
    ("bbox", "box"),
    [
        ([1, 2, 0, 3, 4, 9], (1, 2, 3, 4)),
        ([350, -1, 359, 1], (-10, -1, -1, 1)),
        ([170, -5, -175, 5], (170, -5, -175, 5)),
        ([170, -5, 185, 5], (170, -5, -175, 5)),
        ([0, -90, 360, 90.0000001], (-180, -90, 180, 90)),
        ([1, 2, 999, 4], None),
        ([1, 2, float("nan"), 4], None),
        ([1, 2, 10**30, 4], None),
        ([1, 4, 3, 2], None),
        ([[1, 2, 3, 4]], None),
        ({}, None),
    ],
)
def test_a_bbox_is_read_as_a_geometry_is(bbox: Any, box: Any) -> None:
    assert box_in_degrees(bbox) == box
    odd: set[str] = set()
    place = place_of(None, bbox, odd)
    assert (place and place.box) == box
    assert odd == ({"have a bbox and no geometry: kept as that box"} if box else set())


def test_a_very_long_outline_becomes_its_box() -> None:
    long = line(*([n / 100, 0] for n in range(MAX_POSITIONS + 1)))
    odd: set[str] = set()
    place = place_of(long, None, odd)
    assert place is not None
    assert (place.geometry["type"], place.box) == ("Polygon", (0, 0, MAX_POSITIONS / 100, 0))
    assert odd == {f"have outlines of more than {MAX_POSITIONS} points: kept as their boxes"}
