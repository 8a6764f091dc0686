"""Destinations over HTTP: saved, tested, ordered to and removed, and no secret ever comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient, Response
from temporalio.client import Client

from models.destination import DestinationAllowlist
from models.errors import FailureCode
from services.numbers import DESTINATIONS
from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from storage.targets.registry import DeliveryTargets
from storage.vault import Vault, new_key
from tests.activities.test_delivery import in_folder
from tests.api.conftest import PUBLIC_URL, MakeProduct
from tests.api.running_orders import facade
from tests.buckets import KEY_ID, SECRET, Bucket, bucket
from tests.factories import LOCAL_CALLER, Sessions
from tests.services.catalogue_sources import rows


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


@pytest.fixture
async def client(
    sessions: Sessions, temporal_away: Client, readers: StoragePool, server: Bucket, tmp_path: Path
) -> AsyncIterator[AsyncClient]:
    """A facade whose operator allows the bucket's endpoint and one folder, and keeps secrets."""
    allowed = DestinationAllowlist(roots=(str(tmp_path),), endpoints=(server.endpoint,))
    delivery_targets = DeliveryTargets(allowed, Vault([new_key()]))
    async with facade(sessions, temporal_away, readers, delivery_targets=delivery_targets) as made:
        yield made


def a_bucket(server: Bucket, **other: Any) -> dict[str, Any]:
    keys = {"access_key_id": KEY_ID, "secret_access_key": SECRET}
    return {"name": "mine", "kind": "s3", "bucket": server.name, "endpoint": server.endpoint, **keys, **other}


def a_folder(root: Path, **other: Any) -> dict[str, Any]:
    return {"name": "exports", "kind": "local", "folder": str(root / "maria"), **other}


def codes(answer: Response) -> dict[str, str]:
    return {fault["field"]: fault["code"] for fault in answer.json()["faults"]}


async def test_a_bucket_is_saved_shown_and_removed_without_a_secret_ever_coming_back(
    client: AsyncClient, sessions: Sessions, server: Bucket
) -> None:
    saved = await client.post("/destinations", json=a_bucket(server, prefix="{number}/{label}"))
    assert saved.status_code == 201
    shown = saved.json()
    assert saved.headers["location"] == f"{PUBLIC_URL}/api/v1/destinations/{shown['id']}"
    assert (shown["name"], shown["bucket"], shown["prefix"]) == ("mine", server.name, "{number}/{label}")
    for key in (shown["id"], "mine"):
        assert (await client.get(f"/destinations/{key}")).json() == shown
    listed = await client.get("/destinations")
    assert listed.json() == {"items": [shown], "next_cursor": None}
    (kept,) = await rows(sessions, "SELECT credentials FROM destinations")
    for text in (saved.text, listed.text, kept):
        assert KEY_ID not in text
        assert SECRET not in text
    assert (await client.delete("/destinations/mine")).status_code == 204
    assert (await client.delete("/destinations/mine")).status_code == 404
    assert (await client.get("/destinations")).json() == {"items": [], "next_cursor": None}


async def test_tests_of_a_server_that_hangs_are_bounded_and_keep_no_other_from_being_tested(
    sessions: Sessions, temporal_away: Client, readers: StoragePool, server: Bucket, tmp_path: Path
) -> None:
    allowed = DestinationAllowlist(roots=(str(tmp_path),), endpoints=(server.endpoint,))
    targets = DeliveryTargets(allowed, Vault([new_key()]))
    answers, probes = Event(), StoragePool("probes", 4, room=2)
    hung = Bulkhead(str(tmp_path), FailureCode.DESTINATION_UNAVAILABLE)
    asked = [probes.submit(answers.wait, hung) for _ in range(2)]
    async with facade(sessions, temporal_away, readers, delivery_targets=targets, probes=probes) as client:
        for body in (a_folder(tmp_path), a_bucket(server)):
            assert (await client.post("/destinations", json=body)).status_code == 201
        refused = await client.post("/destinations/exports/test")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_tests")
        assert int(refused.headers["retry-after"]) > 0
        assert (await client.post("/destinations/mine/test")).json() == {"ok": True, "failure": None}
        answers.set()
        await asyncio.gather(*map(asyncio.wrap_future, asked))
        assert (await client.post("/destinations/exports/test")).json()["ok"] is True


async def test_a_name_is_taken_once(client: AsyncClient, tmp_path: Path) -> None:
    assert (await client.post("/destinations", json=a_folder(tmp_path))).status_code == 201
    again = await client.post("/destinations", json=a_folder(tmp_path))
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


async def test_every_fault_is_told_at_once(client: AsyncClient, server: Bucket) -> None:
    body = a_bucket(server, name="-", bucket="x", region="a/b", endpoint="http://169.254.169.254", prefix="../{x}")
    answer = await client.post("/destinations", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_destination")
    assert codes(answer) == {
        "name": "name_unusable",
        "bucket": "bucket_unusable",
        "region": "region_unusable",
        "endpoint": "endpoint_not_allowed",
        "prefix": "prefix_unusable",
    }
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "ftp", "name": "x"},
        {"kind": "local", "name": "x"},
        {"kind": "local", "name": "x", "folder": "/x", "bucket": "y"},
        {"kind": "s3", "name": "x", "bucket": "abc", "access_key_id": "k", "secret_access_key": 7},
        {"kind": "s3", "name": "x", "bucket": "abc", "access_key_id": "", "secret_access_key": "s3cr3t"},
    ],
)
async def test_a_body_that_is_none_is_refused_without_repeating_it(client: AsyncClient, body: Any) -> None:
    answer = await client.post("/destinations", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "s3cr3t" not in answer.text


@pytest.mark.parametrize("field", ["name", "bucket", "region", "endpoint", "prefix", "secret_access_key"])
@pytest.mark.parametrize("value", ["a\0b", "a\nb", "\ud800"])
async def test_no_text_however_strange_is_a_mistake_of_ours(
    client: AsyncClient, server: Bucket, field: str, value: str
) -> None:
    body = a_bucket(server, **{field: value})
    headers = {"Content-Type": "application/json"}
    assert (await client.post("/destinations", content=_json(body), headers=headers)).status_code == 422


def _json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()


@pytest.mark.parametrize("key", ["nobodys", "01a1fdea-dabf-75bf-be4c-b7145cf8523a", "%00", "x" * 101])
async def test_what_is_not_there_is_not_found(client: AsyncClient, key: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test")):
        answer = await client.request(method, f"/destinations/{key}{path}")
        assert answer.status_code in {404, 422}


async def test_somebody_elses_destination_is_not_there(
    client: AsyncClient, sessions: Sessions, tmp_path: Path, make_product: MakeProduct
) -> None:
    saved = (await client.post("/destinations", json=a_folder(tmp_path))).json()
    await rows(sessions, "UPDATE destinations SET customer = 'eve' RETURNING id")
    await make_product()
    assert (await client.get(f"/destinations/{saved['id']}")).status_code == 404
    order = {"items": [{"product": "scenes"}], "delivery": {"destination": saved["id"]}}
    assert codes(await client.post("/orders", json=order)) == {"delivery/destination": "unknown_id"}


async def test_a_test_tells_whether_an_archive_would_arrive(
    client: AsyncClient, server: Bucket, tmp_path: Path
) -> None:
    await client.post("/destinations", json=a_bucket(server))
    await client.post("/destinations", json=a_bucket(server, name="gone", bucket="nobodys-bucket"))
    await client.post("/destinations", json=a_folder(tmp_path))
    for name in ("mine", "exports"):
        assert (await client.post(f"/destinations/{name}/test")).json() == {"ok": True, "failure": None}
    answer = await client.post("/destinations/gone/test")
    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert answer.json()["failure"]["code"] == "destination_refused"
    assert server.objects() == {}
    assert in_folder(tmp_path) == {}


async def test_without_a_key_no_credentials_are_kept(
    sessions: Sessions, temporal_away: Client, readers: StoragePool, server: Bucket
) -> None:
    async with facade(sessions, temporal_away, readers, delivery_targets=DeliveryTargets(server.allowed)) as client:
        answer = await client.post("/destinations", json=a_bucket(server))
    assert codes(answer) == {"secret_access_key": "credentials_not_kept"}


async def test_an_order_names_its_destination_and_remembers_its_name(
    client: AsyncClient, tmp_path: Path, make_product: MakeProduct
) -> None:
    await make_product()
    await client.post("/destinations", json=a_folder(tmp_path))
    order = {"items": [{"product": "scenes"}], "delivery": {"destination": "exports"}}
    placed = (await client.post("/orders", json=order)).json()
    assert placed["destination"] == "exports"
    again = (await client.post(f"/orders/{placed['id']}/restart")).json()
    assert again["destination"] == "exports"
    await client.delete("/destinations/exports")
    deliveries = await client.get(f"/orders/{placed['id']}/deliveries")
    assert deliveries.json() == {"destination": "exports", "items": [], "next_cursor": None}
    plain = (await client.post("/orders", json={"items": [{"product": "scenes"}]})).json()
    assert plain["destination"] is None


async def test_destinations_have_a_number(client: AsyncClient, sessions: Sessions, tmp_path: Path) -> None:
    async with sessions.begin() as session:
        made = "SELECT :customer, 'n' || n, 'local', '/nowhere', '' FROM generate_series(1, :number) n"
        await session.execute(
            sa.text(f"INSERT INTO destinations (customer, name, kind, folder, prefix) {made}"),
            {"customer": LOCAL_CALLER.customer, "number": DESTINATIONS.most},
        )
    answer = await client.post("/destinations", json=a_folder(tmp_path))
    assert (answer.status_code, answer.json()["code"]) == (409, "quota_exceeded"), answer.text
    assert "remove one first" in answer.json()["detail"]
    assert (await client.delete("/destinations/n7")).status_code == 204
    assert (await client.post("/destinations", json=a_folder(tmp_path))).status_code == 201
