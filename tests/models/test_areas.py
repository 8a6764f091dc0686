"""Areas to search: boxes and geometries, what is understood, what is refused by name."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.areas import MAX_POSITIONS, Box, Part, area_of_box, area_of_geometry, box_of, rolled

longitudes, latitudes = st.floats(-180, 180), st.floats(-90, 90)


@pytest.mark.parametrize(
    ("numbers", "box"),
    [
        ([-10, -5, 10, 5], Box(-10, -5, 10, 5)),
        ([-10, -5, 0, 10, 5, 8000], Box(-10, -5, 10, 5)),
        ([170, -5, -170, 5], Box(170, -5, -170, 5)),
        ([-180, -90, 180, 90], Box(-180, -90, 180, 90)),
        ([7, 7, 7, 7], Box(7, 7, 7, 7)),
        ([170, -5, 190, 5], Box(170, -5, -170, 5)),
        ([-190, -5, -170, 5], Box(170, -5, -170, 5)),
        ([190, -5, 200, 5], Box(-170, -5, -160, 5)),
        ([180, -5, 190, 5], Box(-180, -5, -170, 5)),
        ([-200, -5, 200, 5], Box(-180, -5, 180, 5)),
        ([0, -5, 360, 5], Box(-180, -5, 180, 5)),
        ([-180.0000001, -90.0000001, 180.0000001, 90.0000001], Box(-180, -90, 180, 90)),
    ],
)
def test_a_box_has_four_numbers_or_six_and_may_cross_the_antimeridian(numbers: list[float], box: Box) -> None:
    assert box_of(numbers) == box


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ([], "four numbers"),
        ([1, 2, 3], "four numbers"),
        ([1, 2, 3, 4, 5], "four numbers"),
        ([0, 0, float("nan"), 1], "finite"),
        ([0, 0, float("inf"), 1], "finite"),
        ([-361, 0, 1, 1], "longitudes"),
        ([0, 0, 360.5, 1], "longitudes"),
        ([190, 0, -170, 1], "antimeridian"),
        ([0, -91, 1, 1], "latitudes"),
        ([0, 0, 1, 90.00001], "latitudes"),
        ([0, 2, 1, 1], "south"),
        ([0, 0, 9, 1, 1, 8], "elevation"),
    ],
)
def test_what_is_no_box_is_refused_with_its_reason(numbers: list[float], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        box_of(numbers)


@given(longitudes, latitudes, longitudes, latitudes)
def test_unrolling_a_box_and_rolling_it_up_again_changes_nothing(
    west: float, south: float, east: float, north: float
) -> None:
    box = Box(west, min(south, north), east, max(south, north))
    unrolled = box.unrolled
    assert unrolled.west <= unrolled.east
    # -180 and 180 are one meridian: a box that ends there over the antimeridian comes back as ending at 180.
    expected = box._replace(east=180.0) if box.east == -180.0 < box.west else box
    assert tuple(rolled(*unrolled)) == pytest.approx(tuple(expected))


SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]


def of(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates}


@pytest.mark.parametrize(
    ("geometry", "kinds", "boxes"),
    [
        (of("Point", [1, 2]), ["Point"], [Box(1, 2, 1, 2)]),
        (of("Point", [1, 2, 3, 4]), ["Point"], [Box(1, 2, 1, 2)]),
        (of("Point", [190, 2]), ["Point"], [Box(-170, 2, -170, 2)]),
        (of("Point", [0, 90.0000001]), ["Point"], [Box(0, 90, 0, 90)]),
        (of("MultiPoint", [[1, 2], [3, 4]]), ["Point"] * 2, [Box(1, 2, 1, 2), Box(3, 4, 3, 4)]),
        (of("LineString", [[170, 0], [190, 5]]), ["LineString"], [Box(170, 0, -170, 5)]),
        (of("MultiLineString", [[[1, 2], [3, 4]]]), ["LineString"], [Box(1, 2, 3, 4)]),
        (of("Polygon", [SQUARE]), ["Polygon"], [Box(0, 0, 2, 2)]),
        (of("MultiPolygon", [[SQUARE], [SQUARE]]), ["Polygon"] * 2, [Box(0, 0, 2, 2)] * 2),
        (
            {"type": "GeometryCollection", "geometries": [of("Point", [1, 2]), of("MultiPoint", [[3, 4]])]},
            ["Point"] * 2,
            [Box(1, 2, 1, 2), Box(3, 4, 3, 4)],
        ),
        (of("MultiPoint", [[n, n] for n in range(9)]), ["Point"] * 9, [Box(0, 0, 8, 8)]),
        (of("Polygon", [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]), ["Polygon"],
         [Box(-180, -90, 180, 90)]),
    ],
)  # fmt: skip
def test_a_geometry_of_any_type_is_taken_apart_and_has_its_boxes(
    geometry: Any, kinds: list[str], boxes: list[Box]
) -> None:
    area = area_of_geometry(geometry)
    assert [part.kind for part in area.parts] == kinds
    assert list(area.boxes) == boxes
    assert not area.is_box


def test_parts_go_round_the_earth_together() -> None:
    area = area_of_geometry(of("MultiPoint", [[190, 0], [185, 1]]))
    assert area.parts == (Part("Point", (-170, 0)), Part("Point", (-175, 1)))


def in_collections(count: int) -> dict[str, Any]:
    geometry = of("Point", [0, 0])
    for _ in range(count):
        geometry = {"type": "GeometryCollection", "geometries": [geometry]}
    return geometry


@pytest.mark.parametrize(
    ("geometry", "why"),
    [
        (None, "GeoJSON geometry"),
        ([], "GeoJSON geometry"),
        ({}, "GeoJSON geometry"),
        (of("point", [0, 0]), "GeoJSON geometry"),
        ({"type": ["Point"], "coordinates": [0, 0]}, "GeoJSON geometry"),
        ({"type": "Feature", "geometry": of("Point", [0, 0])}, "the geometry of one alone"),
        ({"type": "FeatureCollection", "features": []}, "the geometry of one alone"),
        ({**of("Point", [0, 0]), "crs": {"type": "name"}}, "leave `crs` out"),
        ({"type": "Point"}, "a position is"),
        (of("Point", []), "a position is"),
        (of("Point", [1]), "a position is"),
        (of("Point", [1, 2, 3, 4, 5]), "a position is"),
        (of("Point", ["1", 2]), "a position is"),
        (of("Point", [True, 2]), "a position is"),
        (of("Point", [10**400, 2]), "a position is"),
        (of("Point", [float("nan"), 2]), "a position is"),
        (of("Point", [361, 2]), "longitudes are"),
        (of("Point", [0, 91]), "latitudes are"),
        (of("Point", [0, 90.0001]), "latitudes are"),
        (of("LineString", [[0, 0]]), "at least two"),
        (of("LineString", [-300, 0]), "a position is"),
        (of("LineString", [[-300, 0], [300, 0]]), "more than 360 degrees"),
        (of("Polygon", []), "without any position"),
        (of("Polygon", SQUARE), "at least four|a position"),
        (of("Polygon", [SQUARE[:3]]), "at least four"),
        (of("Polygon", [SQUARE[:4]]), "ends at the position where it begins"),
        (of("Polygon", [SQUARE, []]), "without any position"),
        (of("MultiPolygon", [SQUARE]), "at least four|a position"),
        (of("MultiPoint", []), "without any position"),
        (of("MultiPoint", "ab"), "are a list"),
        ({"type": "GeometryCollection", "geometries": []}, "without any position"),
        ({"type": "GeometryCollection", "coordinates": []}, "list of geometries"),
        (in_collections(9), "8 deep"),
        (of("MultiPoint", [[0, 0]] * (MAX_POSITIONS + 1)), f"at most {MAX_POSITIONS} positions"),
    ],
)
def test_what_is_no_geometry_is_refused_with_its_reason(geometry: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        area_of_geometry(geometry)


def test_a_box_may_be_a_line_or_a_point() -> None:
    boxes = [Box(7, 7, 7, 7), Box(7, 7, 9, 7), Box(179, 7, -179, 9)]
    assert [area_of_box(box).parts[0].kind for box in boxes] == ["Point", "LineString", "Polygon"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["Point", "Polygon", "LineString", ""]),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["type", "coordinates", "geometries"]), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_is_sent_is_an_area_or_refused(raw: Any) -> None:
    area = None
    # Anything but a ValueError would be an answer 500.
    with contextlib.suppress(ValueError):
        area = area_of_geometry(raw)
    assert area is None or (area.parts and area.boxes)
