"""stac-api-validator, unchanged, on a running API: what the landing page claims is so."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

from api.dependencies import Services
from models.areas import Box
from services.catalogue.places import outline
from tests.api.conftest import MakeProduct
from tests.api.serving import served
from tests.factories import Sessions, add_order, make_ready, place_object
from tests.issuer import Issuer

BEGIN = datetime(2013, 6, 1, tzinfo=UTC)


async def test_the_validator_of_stac_apis_finds_nothing_wrong(
    services: Services, database_url: str, issuer: Issuer, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await make_product("maps", {"atlas": {"a": b"a"}})
    boxes = {"winter": Box(170, -5, -170, 5), "spring": Box(20, 20, 21, 21), "summer": Box(100, 0, 101, 1)}
    for days, (name, box) in enumerate(boxes.items()):
        await place_object(sessions, name, box, BEGIN + timedelta(days=days))
    await make_ready(sessions, await add_order(sessions, {"scenes": ["summer"]}))
    geometry = json.dumps(outline(Box(15, 15, 25, 25)))
    async with served(services, database_url, is_public=True) as address:
        arguments = (address, issuer.token("local"), "scenes", geometry)
        validator = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.api.stac_validator", *arguments),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, complaints = await validator.communicate()
    assert validator.returncode == 0, complaints.decode()
    found = json.loads(printed)
    assert found["errors"] == []
    # How a collection could be richer is no matter of the API.
    assert [warning for warning in found["warnings"] if "stac-check recommendations" not in warning] == []
