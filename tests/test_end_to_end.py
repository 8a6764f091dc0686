"""Orders through the whole running stack: from a folder to its copies, whatever happens on the way."""

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from temporalio.client import Client

from models.messages import new_order_workflow_id
from tests.cli.processes import eventually
from tests.downloads import archives, contents, delivered
from tests.programs import asked, consignor, dev_stack
from tests.services.catalogue_sources import collection, item, put, put_json

PLACE = ("order", "place", "--wait", "--product")
Where = Mapping[str, str]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of all stacks here."""
    return tmp_path_factory.mktemp("end-to-end") / "data"


@pytest.fixture(scope="module")
def where(data: Path) -> Where:
    """What a command has to know to find the stack."""
    return {"CONSIGNOR_DATA": str(data)}


@pytest.fixture(scope="module")
def stack(data: Path) -> Iterator[ExitStack]:
    """The running stack; who closes it may start it again on the same folder."""
    with ExitStack() as running:
        running.enter_context(dev_stack(data))
        yield running


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A STAC collection with checksums: three objects of two files."""
    root, names = tmp_path / "scenes", ("north", "south", "west")
    for name in names:
        assets = {}
        for number, kind in enumerate(("image.tif", "meta.xml"), 1):
            content = f"{name} {kind}".encode() * 1000 * number
            put(root / name / kind, content)
            checksum = "1220" + sha256(content).hexdigest()
            assets[kind] = {"href": f"./{kind}", "file:checksum": checksum, "file:size": len(content)}
        put_json(root / name / f"{name}.json", item(name, assets))
    put_json(root / "collection.json", collection("scenes", [f"./{name}/{name}.json" for name in names]))
    return root


def test_what_is_delivered_is_what_is_downloaded(stack: ExitStack, where: Where, data: Path, tmp_path: Path) -> None:
    put(tmp_path / "maps" / "north" / "map.tif", b"north" * 100_000)
    consignor(where, "catalog", "import", tmp_path / "maps", "--sku", "maps")
    consignor(where, "destination", "add", "exports", "--folder", data / "delivery" / "maria", "--prefix", "{label}")
    assert consignor(where, "destination", "test", "exports") == "exports  works\n"
    order = asked(where, *PLACE, "maps", "--label", "maps", "--deliver-to", "exports", "--download", tmp_path / "got")
    assert (order["status"], order["delivery_status"], order["destination"]) == ("fulfilled", "Done", "exports")
    assert archives(data / "delivery" / "maria" / "maps") == archives(tmp_path / "got")
    assert "exports" in consignor(where, "order", "show", order["number"])
    consignor(where, "destination", "remove", "exports", "--yes")
    assert asked(where, "destination", "list") == []


def test_what_is_downloaded_is_what_was_imported(stack: ExitStack, where: Where, tmp_path: Path) -> None:
    source, target = tmp_path / "archive", tmp_path / "downloads"
    files = {f"o{n}/{name}": bytes([n]) * (n * 10_000 + 1) for n in range(8) for name in ("image.tif", "änderung.txt")}
    files |= {"empty/nothing.bin": b"", "o1/deep/er.csv": b"1,2\n"}
    for name, content in files.items():
        put(source / name, content)
    consignor(where, "catalog", "import", source, "--sku", "archive")
    order = asked(where, *PLACE, "archive", "--download", target)
    assert (order["status"], order["progress"]["files_available"]) == ("fulfilled", len(files))
    assert delivered(target) == files


def test_one_wrong_file_is_named_and_the_others_are_delivered(
    stack: ExitStack, where: Where, scenes: Path, tmp_path: Path
) -> None:
    consignor(where, "catalog", "import", scenes)
    wrong = scenes / "south" / "image.tif"
    right = wrong.read_bytes()
    wrong.write_bytes(right[:500] + bytes([right[500] ^ 1]) + right[501:])
    target = tmp_path / "downloads"
    order = asked(where, *PLACE, "scenes", "--download", target)
    assert order["status"] == "fulfilled_with_warnings"
    there = {f"{path.parent.name}/{path.name}": path for path in scenes.glob("*/*") if path.suffix != ".json"}
    assert delivered(target) == {name: path.read_bytes() for name, path in there.items() if path != wrong}
    (archive,) = target.glob("*.zip")
    inside = contents(archive)
    assert "south/image.tif" in inside["NOTICE.txt"].decode()
    (missing,) = json.loads(inside["manifest.json"])["missing"]
    assert (missing["original"], missing["code"]) == ("south/image.tif", "checksum_mismatch")


def known_orders(where: Where) -> list[Any]:
    """All orders but for their links, which name the port of the day."""
    return [{k: v for k, v in order.items() if k != "links"} for order in asked(where, "order", "list")]


def announced(data: Path) -> dict[str, Any]:
    """What a stack says of itself."""
    said: dict[str, Any] = json.loads((data / "dev.json").read_text())
    return said


async def history_of(running: Mapping[str, Any], order: Mapping[str, str]) -> list[str]:
    """The types of events Temporal keeps of an order."""
    client = await Client.connect(running["temporal_address"], namespace=running["temporal_namespace"])
    history = await client.get_workflow_handle(
        new_order_workflow_id(order["number"], UUID(order["id"]))
    ).fetch_history()
    return [str(event.event_type) for event in history.events]


async def test_a_restart_of_the_whole_stack_loses_nothing(
    stack: ExitStack, where: Where, data: Path, tmp_path: Path
) -> None:
    before = known_orders(where)
    assert before
    for order in before:
        consignor(where, "order", "download", order["id"], tmp_path / "before")
    eventually(lambda: not any(order["waiting_for_user"] for order in known_orders(where)), "all has arrived")
    before = known_orders(where)
    events = await history_of(announced(data), before[0])
    stack.close()
    stack.enter_context(dev_stack(data))
    assert known_orders(where) == before
    for order in before:
        consignor(where, "order", "download", order["id"], tmp_path / "after")
    assert archives(tmp_path / "after") == archives(tmp_path / "before")
    assert await history_of(announced(data), before[0]) == events


def test_many_orders_are_tried_labelled_and_exported_by_command(stack: ExitStack, where: Where, tmp_path: Path) -> None:
    put(tmp_path / "crowd" / "a.bin", b"a")
    consignor(where, "catalog", "import", tmp_path / "crowd", "--sku", "crowd")
    orders = [asked(where, "order", "place", "--draft", "--product", "crowd") for _ in range(2)]
    named = ("--product", "crowd")
    would = consignor(where, "order", "bulk", "cancel", *named, "--dry-run")
    assert would.endswith("would cancel 2 of 2, skip 0\n")
    assert {o["status"] for o in asked(where, "order", "list", *named)} == {"draft"}
    said = asked(where, "order", "bulk", "label", *named, "--new-label", "crowd {number}", "--wait")
    assert (said["state"], said["done"]) == ("finished", 2)
    consignor(where, "order", "bulk", "export", *named, "--output", tmp_path / "crowd.csv")
    found = csv.DictReader((tmp_path / "crowd.csv").read_text(encoding="utf-8").splitlines())
    assert {row["label"] for row in found} == {f"crowd {order['number']}" for order in orders}
    nobody = "00000000-0000-7000-8000-000000000000"
    said = asked(where, "order", "bulk", "pause", orders[0]["number"], nobody, "--wait")
    assert (said["done"], said["skipped"]) == (0, 2)
    shown = asked(where, "bulk", "show", said["id"], "--outcome", "skipped")
    assert sorted(order["code"] for order in shown["orders"]) == ["illegal_transition", "not_found"]
    assert said["id"] in consignor(where, "bulk", "list")


def test_orders_are_listed_by_filter_and_exported(stack: ExitStack, where: Where, tmp_path: Path) -> None:
    put(tmp_path / "few" / "a.bin", b"a")
    consignor(where, "catalog", "import", tmp_path / "few", "--sku", "few")
    order = asked(where, *PLACE, "few", "--label", "=to be exported")
    assert asked(where, "order", "show", order["number"])["id"] == order["id"]
    filters = ("--product", "few", "--search", "TO BE", "--not-status", "failed", "--sort", "number")
    assert [found["id"] for found in asked(where, "order", "list", *filters)] == [order["id"]]
    for name in ("orders.csv", "orders.jsonl"):
        consignor(where, "order", "export", tmp_path / name, *filters)
    (row,) = csv.DictReader((tmp_path / "orders.csv").read_text(encoding="utf-8").splitlines())
    (line,) = map(json.loads, (tmp_path / "orders.jsonl").read_text().splitlines())
    assert (row["order_id"], row["label"], line["label"]) == (order["id"], "'=to be exported", "=to be exported")
    assert row["delivery_status"] == line["delivery_status"] == "Waiting user download"
