"""Examples out of schemas: what a field is called and of what kind it is tells what to show."""

from collections.abc import Mapping
from typing import Any

from api.contract.problems import SCHEMAS

Schema = Mapping[str, Any]

_BY_NAME: Mapping[str, Any] = {
    "number": "CO-2026-000042",
    "label": "My order",
    "sku": "scenes",
    "product": "scenes",
    "products": ["scenes"],
    "currency": "EUR",
    "customer": "3f2a9c0d4b1e8f7766554433221100ff",
    "actor": "customer:3f2a9c0d4b1e8f7766554433221100ff",
    "status": "fulfilled",
    "state": "ready",
    "unit_price": "12.50",
    "line_total": "25.00",
    "total_price": "25.00",
    "refund_due": "25.00",
    "subtotal": "25.00",
    "base": "25.00",
    "percent": "20",
    "country": "FR",
    "coupon": "SPRING-26",
    "path": "winter/b1.tif",
    "object": "winter",
    "media_type": "image/tiff",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "tier": "online",
    "kind": "data",
    "email": "alice@example.org",
    "next_cursor": None,
    "datetime": "2024-06-01T00:00:00Z/..",
    "bbox": [5.0, 45.0, 10.0, 50.0],
    "code": "checksum_mismatch",
    "text": "winter/b1.tif is not what it was",
    "message": "2 of 3 files can be downloaded",
    "name": "winter",
    "self": "https://orders.example/api/v1/orders/019aa0c2-6f00-7000-8000-00000000002a",
    "suborders": "https://orders.example/api/v1/orders/019aa0c2-6f00-7000-8000-00000000002a/suborders",
    "files": "https://orders.example/api/v1/orders/019aa0c2-6f00-7000-8000-00000000002a/files",
    "timeline": "https://orders.example/api/v1/orders/019aa0c2-6f00-7000-8000-00000000002a/timeline",
    "url": "https://orders.example/api/v1/links/…",
    "webhook-timestamp": "1795261440",
    "webhook-id": "msg_1",
    "amount": "25.00",
    "location": "/exports/maria/CO-2026-000042",
    "configuration": "all objects",
    "what": "fulfilled",
}
_BY_FORMAT: Mapping[str, Any] = {
    "uuid": "019aa0c2-6f00-7000-8000-00000000002a",
    "date-time": "2026-11-21T11:44:00Z",
    "date": "2026-11-21",
    "binary": "",
    "password": "secret",
    "uri": "https://orders.example/api/v1",
}
_DEEPEST = 12


def example_of(schema: Schema, schemas: Mapping[str, Schema], name: str = "", depth: int = 0) -> Any:
    """A value of a schema; its own example where it has one."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(SCHEMAS)], schemas, name, depth + 1)
    if depth > _DEEPEST:
        return None
    for given in ("examples", "example", "const", "default"):
        if schema.get(given) not in (None, []):
            return schema[given][0] if given == "examples" else schema[given]
    if "enum" in schema:
        return _BY_NAME[name] if _BY_NAME.get(name) in schema["enum"] else schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _of_several(schema[several], schemas, name, depth)
    return _of_kind(schema, schemas, name, depth)


def _of_several(parts: list[Schema], schemas: Mapping[str, Schema], name: str, depth: int) -> Any:
    """Of alternatives the first that says something."""
    if name in _BY_NAME and any(_takes(part, _BY_NAME[name]) for part in parts):
        return _BY_NAME[name]
    first = next((part for part in parts if part.get("type") != "null"), parts[0])
    return example_of(first, schemas, name, depth + 1)


def _takes(schema: Schema, value: Any) -> bool:
    kinds: dict[str, type] = {"string": str, "null": type(None), "array": list}
    kind = kinds.get(schema.get("type", ""), bytes)
    return isinstance(value, kind) and "format" not in schema and "enum" not in schema and "pattern" not in schema


def _of_kind(schema: Schema, schemas: Mapping[str, Schema], name: str, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {field: example_of(part, schemas, field, depth + 1) for field, part in fields.items()}
        case "array":
            if name in _BY_NAME and isinstance(_BY_NAME[name], list):
                return _BY_NAME[name]
            few = max(schema.get("minItems", 0), 1)
            return [example_of(schema.get("items", {}), schemas, name.removesuffix("s"), depth + 1)] * few
        case "string":
            return _of_text(schema, name)
        case "integer" | "number":
            return max(schema.get("minimum", 1), 1)
        case "boolean":
            return False
    return None


def _of_text(schema: Schema, name: str) -> str:
    if "format" in schema:
        return str(_BY_FORMAT.get(schema["format"], ""))
    known = _BY_NAME.get(name)
    return known if isinstance(known, str) else "https://orders.example/…" if "url" in name else "…"
