"""`python -m tests.api.stac_validator URL TOKEN COLLECTION GEOMETRY`: stac-api-validator with no network but the API's.

The schemas of STAC are those that pystac brings along. No package brings those of the extensions: stand-ins say what
Consignor writes of them. Prints what the validator found as JSON.
"""

import json
import sys
from typing import Any

import responses
import yaml
from pystac.validation.local_validator import get_local_schema_cache
from stac_api_validator.validations import QueryConfig, validate_api

from api.stac_elements import EXTENSIONS

CLASSES = ["core", "collections", "features", "item-search"]

_PATTERN = {"type": "string", "pattern": "^1220[0-9a-f]{64}$"}
_SIZE = {"type": "integer", "minimum": 0}
_STATUSES = ["orderable", "ordered", "pending", "shipping", "succeeded", "failed", "canceled"]
_INSTANT = {"type": "string", "format": "date-time"}
_OF_FILE = {
    "properties": {
        "assets": {"additionalProperties": {"properties": {"file:checksum": _PATTERN, "file:size": _SIZE}}},
    },
}
_OF_ORDER = {
    "properties": {
        "properties": {
            "required": ["order:status"],
            "properties": {
                "order:status": {"enum": _STATUSES},
                "order:id": {"type": "string"},
                "order:date": _INSTANT,
                "order:expiration_date": _INSTANT,
            },
        },
    },
}


def validate(url: str, token: str, collection: str, geometry: str) -> dict[str, list[str]]:
    """The warnings and errors of the validator."""
    nothing: Any = [None] * 13
    with responses.RequestsMock(assert_all_requests_are_fired=False) as schemas:
        schemas.add_passthru(url)
        for address, schema in (
            *get_local_schema_cache().items(),
            *zip(EXTENSIONS, (_OF_FILE, _OF_ORDER), strict=True),
        ):
            schemas.get(address, json=schema)
        warnings, errors = validate_api(
            root_url=f"{url}/stac",
            ccs_to_validate=CLASSES,
            collection=collection,
            geometry=geometry,
            auth_bearer_token=None,
            auth_query_parameter=None,
            fields_nested_property=None,
            validate_pagination=True,
            query_config=QueryConfig(*nothing),
            transaction_collection=None,
            headers={"Authorization": f"Bearer {token}"},
        )
    return {"warnings": warnings.as_list(), "errors": errors.as_list()}


if __name__ == "__main__":
    # The OpenAPI document is read as YAML, for which the loader in Python takes longer than all the rest.
    yaml.SafeLoader = yaml.CSafeLoader  # type: ignore[misc,assignment]
    sys.stdout.write(json.dumps(validate(*sys.argv[1:])))
