"""The schema of GeoJSON geometries (RFC 7946, section 3.1) for the OpenAPI document."""

from typing import Any, Final

from models.areas import MAX_POSITIONS

Schema = dict[str, Any]

_POSITION: Final[Schema] = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 4}


def _several(items: Schema, least: int = 1) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": MAX_POSITIONS}


_LINE: Final = _several(_POSITION, 2)
_POLYGON: Final = _several(_several(_POSITION, 4))


def _with_coordinates(kind: str, coordinates: Schema) -> Schema:
    properties = {"type": {"type": "string", "const": kind}, "coordinates": coordinates}
    return {"type": "object", "title": kind, "properties": properties, "required": ["type", "coordinates"]}


_COLLECTION: Final[Schema] = {
    "type": "object",
    "title": "GeometryCollection",
    "properties": {
        "type": {"type": "string", "const": "GeometryCollection"},
        "geometries": _several({"type": "object", "description": "A geometry."}),
    },
    "required": ["type", "geometries"],
}

GEOMETRY: Final[Schema] = {
    "oneOf": [
        _with_coordinates("Point", _POSITION),
        _with_coordinates("MultiPoint", _several(_POSITION)),
        _with_coordinates("LineString", _LINE),
        _with_coordinates("MultiLineString", _several(_LINE)),
        _with_coordinates("Polygon", _POLYGON),
        _with_coordinates("MultiPolygon", _several(_POLYGON)),
        _COLLECTION,
    ],
    "examples": [{"type": "Point", "coordinates": [7.5, 47.5]}],
}
"""A geometry of any type."""
