"""The elements of STAC 1.1 that results of orders and the catalogue have in common: links, assets, extensions.

Assets carry size and checksum after the file extension, version 2.1.0.
"""

from typing import Any, Final

from models.download_urls import named
from models.links import file_path
from models.tables import OrderFile

Json = dict[str, Any]

STAC_VERSION: Final = "1.1.0"
EXTENSIONS: Final = (
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/order/v1.1.0/schema.json",
)
JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"

_SHA256_MULTIHASH: Final = "1220"
"""sha2-256 (0x12) of 32 bytes (0x20), as multihash writes it."""

_ROLES: Final = {"data": ["data"], "quicklook": ["overview"], "metadata": ["metadata"]}


def asset(api: str, file: OrderFile, kind: str) -> Json:
    """The asset of a file that can be downloaded from the API at this URL."""
    href = f"{api}/{named(file_path(file.order_id, file.seq), file.path.rpartition('/')[2])}"
    checksum = {"file:checksum": _SHA256_MULTIHASH + file.sha256.hex()} if file.sha256 else {}
    return {
        "href": href,
        "type": file.media_type,
        "roles": _ROLES.get(kind, ["data"]),
        "file:size": file.size_bytes,
        **checksum,
    }


def link(relation: str, href: str, media_type: str, title: str | None = None) -> Json:
    """A link object."""
    return {"rel": relation, "href": href, "type": media_type, **({"title": title} if title else {})}
