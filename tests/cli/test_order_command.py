"""`consignor order` as a person or a script meets it, on a running stack: what it prints, and the exit codes."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.processes import eventually
from tests.cli.shell import asked, consignor, run
from tests.programs import command, dev_stack
from tests.services.catalogue_sources import put

Where = Mapping[str, str]
HUGE_BYTES = 2**42


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A running stack with a product that costs, one that takes for ever, and one that can be spoilt."""
    data = tmp_path_factory.mktemp("order-command") / "data"
    with dev_stack(data) as said:
        yield {"data": str(data), **said}


@pytest.fixture(scope="module")
def where(stack: dict[str, Any]) -> Where:
    """What a command has to know to find the stack."""
    return {"CONSIGNOR_DATA": stack["data"]}


@pytest.fixture(scope="module")
def as_admin(where: Where) -> Where:
    """The same for somebody who may confirm payments."""
    return {**where, "CONSIGNOR_TOKEN": consignor(where, "token", "--user", "admin").strip()}


def refused(where: Where, *words: str) -> tuple[int, str]:
    """Exit code and complaint of a command that must not succeed."""
    done = run(where, "order", *words)
    assert done.returncode, done.stdout
    return done.returncode, done.stderr


def status(where: Where, order: Any) -> str:
    return str(asked(where, "order", "show", order["id"])["status"])


def imported(where: Where, folder: Path, sku: str, *options: str) -> None:
    consignor(where, "catalog", "import", folder, "--sku", sku, *options)


def test_a_running_order_is_paused_resumed_and_cancelled(where: Where, tmp_path: Path) -> None:
    put(tmp_path / "huge" / "huge.bin", b"")
    os.truncate(tmp_path / "huge" / "huge.bin", HUGE_BYTES)
    imported(where, tmp_path / "huge", "huge")
    order = asked(where, "order", "place", "--product", "huge")
    eventually(lambda: status(where, order) == "provisioning", "the file is being read", 30)
    assert "paused" in consignor(where, "order", "pause", order["number"], "--reason", "maintenance")
    page = consignor(where, "order", "show", order["number"])
    assert "waiting   paused since 20" in page
    assert "UTC, for customer: The order is paused: resume it." in page
    assert "maintenance" in page
    assert asked(where, "order", "resume", order["id"])["status"] == "provisioning"
    answer = "consignor: 409 cannot resume an order that is provisioning; it allows cancel, pause\n"
    assert refused(where, "resume", order["id"]) == (1, answer)
    assert asked(where, "order", "cancel", order["number"], "--reason", "over")["status"] == "cancelled"
    assert "nobody to ask: give --yes" in refused(where, "delete", order["id"])[1]
    assert consignor(where, "order", "delete", order["id"], "--yes") == f"{order['number']}  deleted\n"
    code, text = refused(where, "show", order["id"])
    assert (code, "404 there is no order" in text) == (1, True)


def test_a_draft_is_submitted_and_its_payment_confirmed(where: Where, as_admin: Where, tmp_path: Path) -> None:
    put(tmp_path / "maps" / "a.pdf", b"map")
    imported(where, tmp_path / "maps", "maps", "--price", "12.50")
    order = asked(where, "order", "place", "--product", "maps", "--draft")
    assert (order["status"], order["total_price"]) == ("draft", "12.50")
    submitted = consignor(where, "order", "submit", order["number"])
    assert "pending_payment" in submitted
    assert "price 12.50 EUR\nwaits for operator (payment): The payment is not confirmed yet.\n" in submitted
    page = consignor(where, "order", "show", order["number"])
    assert "price     12.50 EUR\nwaiting   payment since" in page
    assert "Sub-orders" not in page
    consignor(as_admin, "order", "confirm-payment", order["number"], "--reason", "by bank")
    eventually(lambda: status(where, order) == "fulfilled", "the order is fulfilled", 30)
    assert "expires   20" in consignor(where, "order", "show", order["id"])
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
    kept = asked(where, "order", "extend", order["id"], end.strftime("%Y-%m-%dT%H:%M:%S"))
    assert datetime.fromisoformat(kept["expires_at"]) == end
    assert f"expires {end:%Y-%m-%d %H:%M:%S} UTC\n" in consignor(
        where, "order", "extend", order["id"], f"{end:%Y-%m-%d %H:%M:%S}"
    )
    far = (end + timedelta(days=999)).strftime("%Y-%m-%dT%H:%M:%S")
    assert "409 the latest end you may choose is" in refused(where, "extend", order["id"], far)[1]
    again = asked(where, "order", "restart", order["id"], "--label", "once more")
    assert (again["derived_from"], again["label"]) == (order["id"], "once more")
    assert asked(where, "order", "add-to-cart", order["number"])["cart"]["objects"] == 1
    assert consignor(where, "order", "add-to-cart", order["number"]) == "1 added, 0 left out\n"


def test_who_waits_for_an_order_that_stands_still_is_told_why(where: Where, tmp_path: Path) -> None:
    put(tmp_path / "dear" / "a.pdf", b"map")
    imported(where, tmp_path / "dear", "dear", "--price", "1")
    code, text = refused(where, "place", "--product", "dear")
    assert (code, "nobody to ask: give --yes" in text) == (2, True)
    assert text.startswith("1 object, 1 file, 3 B: 1.00 EUR\n")
    words = command("order", "place", "--product", "dear", "--wait", "--yes")
    with subprocess.Popen(words, env={**os.environ, **where}, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr
        said = waiting.stderr.readline()
        assert said.endswith("waits for operator (payment): The payment is not confirmed yet.\n")
        consignor(where, "order", "cancel", said.split()[0])
        assert waiting.wait(30) == 1


def test_a_list_says_whether_there_are_no_orders_or_none_that_match(where: Where) -> None:
    nothing = ("--label", "nothing of this name", "--failure", "source_unavailable", "--failure", "internal")
    assert consignor(where, "order", "list", *nothing) == "No order matches.\n"
    token = consignor(where, "token", "--user", "bob").strip()
    said = consignor({**where, "CONSIGNOR_TOKEN": token}, "order", "list")
    assert said.startswith("No orders yet. Place one with")


def test_an_admin_sets_the_shop_and_leaves_it_to_its_defaults_again(where: Where, as_admin: Where) -> None:
    said = consignor(as_admin, "settings", "set", "max_bytes_per_suborder=4GiB", 'welcome={"fr": "Bonjour"}')
    assert re.search(r"^max_bytes_per_suborder +4294967296  \(settings\)$", said, re.MULTILINE)
    assert asked(where, "settings", "show")["values"]["welcome"] == {"fr": "Bonjour"}
    names = "max_bytes_per_suborder", "welcome"
    assert set(asked(as_admin, "settings", "unset", *names)["sources"].values()) == {"default"}
    assert "max_bytes_per_suborder: 4294967296 -> unset\n" in consignor(as_admin, "settings", "changes")
    done = run(as_admin, "settings", "set", "keep_for=soon")
    assert (done.returncode, "keep_for" in done.stderr) == (1, True)
    assert run(as_admin, "settings", "set", "keep_for").returncode == 2


def test_a_draft_is_not_waited_for(where: Where) -> None:
    assert refused(where, "place", "--product", "maps", "--draft", "--wait")[0] == 2


def test_a_failed_file_is_tried_again_by_its_number(where: Where, tmp_path: Path) -> None:
    spoilt = put(tmp_path / "pairs" / "b" / "data.bin", b"2" * 10)
    imported(where, tmp_path / "pairs", "pairs", "--checksums")
    spoilt.write_bytes(b"3" * 10)
    assert refused(where, "place", "--product", "pairs", "--wait")[0] == 1
    order = asked(where, "order", "list")[0]
    assert (order["status"], order["failure"]["code"]) == ("failed", "checksum_mismatch")
    assert "waiting   failed since" in consignor(where, "order", "show", order["id"])
    spoilt.write_bytes(b"2" * 10)
    (failed,) = asked(where, "order", "files", order["number"], "--state", "failed")
    assert (failed["seq"], failed["failure"]["code"]) == (1, "checksum_mismatch")
    page = consignor(where, "order", "files", order["number"])
    assert f"{failed['object']}/{failed['name']}" in page
    assert "10 B  failed  checksum_mismatch" in page
    assert run(where, "order", "wait", order["id"]).returncode == 1
    assert run(where, "order", "watch", order["id"]).returncode == 1
    consignor(where, "order", "retry", order["number"], "--reason", "restored")
    eventually(lambda: status(where, order) == "fulfilled", "the order is fulfilled", 30)
    assert refused(where, "retry", order["id"], "--file", "1")[1].endswith("that is fulfilled; it allows delete\n")


def test_a_deleted_order_is_purged_when_its_retention_is_over(where: Where, stack: dict[str, Any]) -> None:
    order = asked(where, "order", "place", "--product", "sample-documents", "--wait")
    consignor(where, "order", "delete", order["id"], "--yes")
    assert order["number"] not in asked(where, "order", "purge")
    assert order["number"] in asked(where, "order", "purge", "--older-than-days", "0")
    with psycopg.connect(stack["database_url"]) as database:
        left = database.execute("SELECT count(*) FROM timeline WHERE order_id = %s", [order["id"]]).fetchone()
    assert left == (0,)


def test_the_objects_of_a_product_are_listed_by_the_names_to_order_them_by(where: Where) -> None:
    found = asked(where, "catalog", "objects", "sample-documents")
    names = [obj["name"] for obj in found]
    assert "welcome" in names
    assert all(name in consignor(where, "catalog", "objects", "sample-documents") for name in names)
    assert [obj["name"] for obj in asked(where, "catalog", "objects", "sample-documents", "--limit", "1")] == names[:1]
    assert "and more" in consignor(where, "catalog", "objects", "sample-documents", "--limit", "1")
    code, text = refused(where, "place", "--product", "sample-documents", "--object", "nosuch")
    assert (code, "`consignor catalog objects sample-documents`" in text) == (1, True)


def test_the_catalogue_is_searched_by_product_time_and_place_and_what_is_found_is_ordered(where: Where) -> None:
    search = ("catalog", "search", "--product", "sample-scenes")
    (found,) = asked(where, *search, "--time", "2024-06-05")
    assert found["id"] == "scene-005"
    west, south, _, north = found["bbox"]
    days = ("--time", "2024-06-05/2024-06-06")
    page = consignor(where, *search, *days)
    assert [line.split()[1] for line in page.splitlines()[1:]] == ["scene-006", "scene-005"]
    inside = f"{west + 0.1},{south + 0.1},{west + 0.2},{north - 0.1}"
    assert [one["id"] for one in asked(where, *search, *days, f"--bbox={inside}")] == ["scene-005"]
    assert consignor(where, *search, "--time", "2030-01-01/..") == "Nothing matches.\n"
    assert "… and more: --limit 10" in consignor(where, *search, "--limit", "1")
    ids = consignor(where, *search, *days, "--ids")
    done = run(where, "order", "place", "--file", "-", "--json", stdin=ids)
    assert (done.returncode, json.loads(done.stdout)["objects"]) == (0, 2)
    assert run(where, *search, "--bbox", "1,2,3").returncode == 2
    assert run(where, *search, "--time", "../..").returncode == 2


def test_every_reading_command_speaks_json(where: Where, tmp_path: Path) -> None:
    order = asked(where, "order", "place", "--product", "sample-documents", "--wait")
    assert {"id", "number"} <= order.keys()
    readings = (
        ("catalog", "list"),
        ("catalog", "objects", "sample-documents"),
        ("order", "list"),
        ("order", "show", order["id"]),
        ("order", "download", order["id"], str(tmp_path)),
    )
    for words in readings:
        assert json.loads(consignor(where, *words, "--json"))
    named = ("--file", "welcome/welcome.pdf", "--file", "1")
    assert len(asked(where, "order", "download", order["id"], str(tmp_path / "files"), *named)["files"]) == 2
    whole = consignor(where, "order", "download", order["id"], str(tmp_path), "--part", "1", "--verify", "--extract")
    assert (Path(whole.splitlines()[1].removeprefix("saved ")) / "welcome" / "welcome.pdf").is_file()
    assert "has no part 7" in refused(where, "download", order["id"], str(tmp_path), "--part", "7")[1]
    assert "has no file x" in refused(where, "download", order["id"], str(tmp_path), "--file", "x")[1]


def test_an_order_is_watched_to_its_end_by_its_events(where: Where) -> None:
    order = asked(where, "order", "place", "--product", "sample-scenes")
    lines = consignor(where, "order", "watch", order["number"]).splitlines()
    assert all(line.startswith(f"{order['number']}  ") for line in lines)
    assert lines[-1].startswith(f"{order['number']}  fulfilled  100 %  36 of 36 files")
    last = json.loads(consignor(where, "order", "watch", order["id"], "--json").splitlines()[-1])
    assert (last["id"], last["outcome"]) == (order["id"], "succeeded")
    assert f"{order['number']}  fulfilled  36 of 36 files" in consignor(where, "order", "wait", order["id"])
    listed = consignor(where, "order", "files", order["id"], "--limit", "2").splitlines()
    assert (len(listed), listed[-1]) == (4, "… and more: --limit 20")


def test_what_a_list_names_is_ordered(where: Where, tmp_path: Path) -> None:
    named = tmp_path / "names"
    named.write_text("welcome\n\n quality \n")
    order = asked(where, "order", "place", "--product", "sample-documents", "--file", str(named))
    assert order["objects"] == 2
    ids = [one["id"] for one in asked(where, "catalog", "objects", "sample-documents")][:3]
    done = run(where, "order", "place", "--file", "-", "--json", stdin="\n".join(ids))
    assert (done.returncode, json.loads(done.stdout)["objects"]) == (0, 3)
    assert asked(where, "order", "estimate", "--product", "sample-documents", "--file", str(named))["objects"] == 2
    assert refused(where, "place", "--file", os.devnull)[0] == 2
    assert refused(where, "place")[0] == 2


def test_a_number_that_is_none_is_refused_without_asking(where: Where) -> None:
    code, text = refused(where, "pause", "forty-two")
    assert (code, "names no order" in text) == (1, True)


def test_an_estimate_tells_the_parts_and_what_is_against_them(where: Where) -> None:
    told = asked(where, "order", "estimate", "--product", "sample-documents")
    assert (told["acceptable"], told["faults"]) == (True, [])
    order = asked(where, "order", "place", "--product", "sample-documents", "--wait")
    assert (order["progress"]["files_total"], order["total_price"]) == (told["files"], told["total_price"])
    page = consignor(where, "order", "estimate", "--product", "sample-documents", "--product", "sample-scenes")
    assert "sample-scenes" in page
    done = run(where, "order", "estimate", "--product", "atlantis")
    assert (done.returncode, "items/0/product: there is no product 'atlantis'" in done.stdout) == (1, True)


def test_labels_tags_and_notes_are_written_and_read(where: Where) -> None:
    order = asked(where, "order", "place", "--product", "sample-documents")
    assert "“Winter”  urgent  ice" in consignor(
        where, "order", "label", order["number"], "Winter", "--tag", "urgent", "--tag", "ice"
    )
    assert asked(where, "order", "label", order["id"], "--no-tags")["tags"] == []
    assert refused(where, "label", order["id"])[0] == 2
    assert "at most 50 characters" in refused(where, "label", order["id"], "x" * 51)[1]
    consignor(where, "order", "note", order["number"], "Look at\nthis.")
    assert "\n  Look at\n  this." in consignor(where, "order", "notes", order["id"])
    assert [note["text"] for note in asked(where, "order", "notes", order["id"])] == ["Look at\nthis."]
    assert "403" in refused(where, "note", order["id"], "x", "--for-operators")[1]
