"""What STAC says of an object besides its files: where, when, and plain properties; all of it bounded."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast

from models.catalogue_search import Box
from models.instants import rfc3339

MAX_POSITIONS: Final = 5_000
"""Points of an outline; a page of items must stay one that a client can hold."""
MAX_PROPERTIES: Final = 100
MAX_KEY_CHARACTERS: Final = 100
MAX_TEXT_CHARACTERS: Final = 1_000

# Rings in rings: how deep the coordinates of each type are nested (RFC 7946, section 3.1).
_DEPTHS: Final = {
    "Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3,
}  # fmt: skip
_TIMES: Final = ("datetime", "start_datetime", "end_datetime")


class Description(NamedTuple):
    """What is kept of a STAC item; without a time of its own the newest file's is taken."""

    geometry: dict[str, Any] | None = None
    box: Box | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    properties: Mapping[str, Any] | None = None


class _Unfit(ValueError):
    """Something that is not as the standard says."""


def description_of(item: Mapping[str, Any], faults: Counter[str]) -> Description:
    """What an item says of itself; what is not as the standard says is left out and counted in `faults`."""
    geometry, box = _place(item, faults)
    said = item.get("properties")
    properties: Mapping[str, Any] = said if isinstance(said, dict) else {}
    begins_at, ends_at = _time(properties, faults)
    plain = _plain(properties, faults)
    if begins_at != ends_at and (nominal := _nominal(properties)):
        plain["datetime"] = nominal
    return Description(geometry, box, begins_at, ends_at, plain)


def _place(item: Mapping[str, Any], faults: Counter[str]) -> tuple[dict[str, Any] | None, Box | None]:
    raw = item.get("geometry")
    if raw is None:
        return None, None
    try:
        geometry, positions = _geometry(raw)
        box = _said_box(item.get("bbox")) or _box_of(positions)
    except _Unfit:
        faults["have a geometry that is no GeoJSON in degrees: kept without it"] += 1
        return None, None
    if len(positions) > MAX_POSITIONS:
        faults[f"have outlines of more than {MAX_POSITIONS} points: kept as their boxes"] += 1
        return outline(box), box
    return geometry, box


def _geometry(raw: Any, *, within: bool = False) -> tuple[dict[str, Any], list[tuple[float, float]]]:
    """A geometry with nothing but its coordinates, and these one by one."""
    if not isinstance(raw, dict):
        raise _Unfit
    if raw.get("type") == "GeometryCollection" and not within and isinstance(parts := raw.get("geometries"), list):
        found = [_geometry(part, within=True) for part in parts]
        geometry = {"type": "GeometryCollection", "geometries": [part for part, _ in found]}
        return geometry, [position for _, positions in found for position in positions]
    kind, coordinates = raw.get("type"), raw.get("coordinates")
    if not isinstance(kind, str) or kind not in _DEPTHS:
        raise _Unfit
    return {"type": kind, "coordinates": coordinates}, list(_positions(coordinates, _DEPTHS[kind]))


def _positions(coordinates: Any, depth: int) -> Iterator[tuple[float, float]]:
    if not isinstance(coordinates, list):
        raise _Unfit
    if depth:
        for inner in coordinates:
            yield from _positions(inner, depth - 1)
        return
    if not 2 <= len(coordinates) <= 4 or not all(_is_number(number) for number in coordinates):
        raise _Unfit
    yield coordinates[0], coordinates[1]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _said_box(raw: Any) -> Box | None:
    """The box the item gives; None for one that cannot be."""
    if not isinstance(raw, list) or len(raw) not in {4, 6} or not all(_is_number(number) for number in raw):
        return None
    half = len(raw) // 2
    return _possible(Box(float(raw[0]), float(raw[1]), float(raw[half]), float(raw[half + 1])))


def _box_of(positions: list[tuple[float, float]]) -> Box:
    if not positions:
        raise _Unfit
    longitudes, latitudes = [x for x, _ in positions], [y for _, y in positions]
    box = Box(float(min(longitudes)), float(min(latitudes)), float(max(longitudes)), float(max(latitudes)))
    if _possible(box) is None:
        raise _Unfit
    return box


def _possible(box: Box) -> Box | None:
    fits = -180 <= box.west <= 180 and -180 <= box.east <= 180 and -90 <= box.south <= box.north <= 90
    return box if fits else None


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


def _time(properties: Mapping[str, Any], faults: Counter[str]) -> tuple[datetime | None, datetime | None]:
    """Begin and end; the range where one is given, else the one instant; nothing where either cannot be read."""
    at, begins, ends = (properties.get(name) for name in _TIMES)
    try:
        if begins is not None and ends is not None:
            span = instant(begins), instant(ends)
        elif at is not None:
            span = instant(at), instant(at)
        else:
            span = None
    except ValueError:
        span = None
    if span is None or span[0] > span[1]:
        faults["have no time that can be read: their newest file's is taken"] += 1
        return None, None
    return span


def _nominal(properties: Mapping[str, Any]) -> str | None:
    """The one instant that stands for a range, where the item names one besides."""
    try:
        return rfc3339(instant(properties.get("datetime")))
    except ValueError:
        return None


def instant(said: Any) -> datetime:
    """An instant as RFC 3339 writes it; without an offset it is UTC. Raises ValueError."""
    if not isinstance(said, str):
        raise _Unfit
    try:
        found = datetime.fromisoformat(said)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise _Unfit from error


def _plain(properties: Mapping[str, Any], faults: Counter[str]) -> dict[str, Any]:
    """The properties that are one text, number or truth value; times have columns of their own, orders are ours."""
    found: dict[str, Any] = {}
    for key, value in properties.items():
        if key in _TIMES or key.startswith(("order:", "consignor:")) or not _is_plain(value):
            continue
        if len(key) > MAX_KEY_CHARACTERS or "\0" in key or len(found) == MAX_PROPERTIES:
            faults["have more or longer properties than are kept"] += 1
            break
        found[key] = value
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT_CHARACTERS and "\0" not in value
    return isinstance(value, bool) or _is_number(value)


def extent_of(said: Any) -> dict[str, Any] | None:
    """A collection's extent: its first box and its first interval, which are those of all of it; None if unfit."""
    try:
        box = _said_box(said["spatial"]["bbox"][0])
        interval = cast("list[Any]", said["temporal"]["interval"][0])
        begins, ends = (None if end is None else rfc3339(instant(end)) for end in interval)
    except (TypeError, KeyError, IndexError, ValueError):
        return None
    return None if box is None else {"bbox": [*box], "interval": [begins, ends]}
