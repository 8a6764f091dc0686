"""What the documents of STAC look like, for the OpenAPI document; `stac_documents` and `stac_results` write them.

They describe what a client can rely on; STAC documents may have more, as extensions and sources give it.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from api.contract.problems import SCHEMAS
from api.stac_elements import GEOJSON, JSON, STAC_VERSION

Response = dict[int | str, dict[str, Any]]

_SELF: Final = {"rel": "self", "href": "https://orders.example/stac", "type": JSON}
_DAY: Final = "2024-06-01T00:00:00Z"
_VERSION: Final = Field(examples=[STAC_VERSION])


class _Open(BaseModel):
    """An object that may have more members."""

    model_config = ConfigDict(extra="allow")


class StacLink(_Open):
    """A link; one that orders or pages by POST has `method` and `body`."""

    rel: str
    href: str
    type: str | None = None
    title: str | None = None
    method: Literal["GET", "POST"] | None = None
    body: dict[str, Any] | None = None


_LINKS: Final = Field(examples=[[_SELF]])


class StacConformance(BaseModel):
    """The conformance classes of this API."""

    conformsTo: list[str] = Field(examples=[["https://api.stacspec.org/v1.0.0/core"]])  # noqa: N815 - as STAC writes it


class StacCatalog(_Open):
    """A catalogue; the landing page has `conformsTo` as well."""

    type: Literal["Catalog"]
    stac_version: str = _VERSION
    id: str
    title: str
    description: str
    conformsTo: list[str] | None = None  # noqa: N815 - as STAC writes it
    links: list[StacLink] = _LINKS


class StacSpatial(BaseModel):
    """Boxes that a collection lies in."""

    bbox: list[list[float]] = Field(examples=[[[-180.0, -90.0, 180.0, 90.0]]])


class StacTemporal(BaseModel):
    """Intervals that a collection lies in; null is open."""

    interval: list[list[str | None]] = Field(examples=[[[_DAY, None]]])


class StacExtent(BaseModel):
    """Where and when."""

    spatial: StacSpatial
    temporal: StacTemporal


class StacCollection(_Open):
    """A product of the catalogue, or the results of an order."""

    type: Literal["Collection"]
    stac_version: str = _VERSION
    id: str
    title: str | None
    description: str
    license: str
    extent: StacExtent
    links: list[StacLink] = _LINKS


class StacCollections(BaseModel):
    """A page of collections."""

    collections: list[StacCollection]
    links: list[StacLink] = _LINKS


class StacAsset(_Open):
    """A file that can be downloaded; size and checksum after the file extension."""

    href: str
    type: str
    roles: list[str]


class StacProperties(_Open):
    """What is known of an item; `order:…` after the order extension is that of your own orders."""

    datetime: str | None = Field(examples=[_DAY])
    title: str


class StacItem(_Open):
    """An object: a GeoJSON feature, whose files are its assets as soon as they can be downloaded."""

    type: Literal["Feature"]
    stac_version: str = _VERSION
    stac_extensions: list[str]
    id: str
    collection: str
    geometry: dict[str, Any] | None = Field(examples=[{"type": "Point", "coordinates": [7.5, 47.5]}])
    bbox: list[float] | None = None
    properties: StacProperties
    assets: dict[str, StacAsset]
    links: list[StacLink] = _LINKS


class StacItems(_Open):
    """A page of items; the link `next` leads to the next one."""

    type: Literal["FeatureCollection"]
    features: list[StacItem]
    numberReturned: int  # noqa: N815 - as OGC writes it
    numberMatched: int | None = Field(  # noqa: N815 - as OGC writes it
        None, description="Items on all pages, where they are cheap to count; absent of more than 10,000."
    )
    links: list[StacLink] = _LINKS


def answered(model: type[BaseModel], media_type: str) -> Response:
    """The answer of a route in the OpenAPI document; its schema brings those it refers to with it."""
    _, schemas = models_json_schema([(model, "serialization")], ref_template=f"{SCHEMAS}{{model}}")
    schema = {"$ref": f"{SCHEMAS}{model.__name__}", "$defs": schemas["$defs"]}
    return {200: {"content": {media_type: {"schema": schema}}}}


AS_CATALOG: Final = answered(StacCatalog, JSON)
AS_CONFORMANCE: Final = answered(StacConformance, JSON)
AS_COLLECTION: Final = answered(StacCollection, JSON)
AS_COLLECTIONS: Final = answered(StacCollections, JSON)
AS_ITEM: Final = answered(StacItem, GEOJSON)
AS_ITEMS: Final = answered(StacItems, GEOJSON)
