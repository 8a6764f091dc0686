"""`consignor catalog` as a person or a script meets it: what it prints, and the exit codes."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.cli.shell import Done, run
from tests.databases import Databases

Consignor = Callable[..., Done]

PRODUCTS = [
    {
        "sku": "w",
        "name": "[red]W",
        "unit_price": "12.50",
        "currency": "CHF",
        "price_unit": "object",
        "objects": 2,
        "files": 1234,
        "bytes": 5000,
    },
    {
        "sku": "f",
        "name": "Free",
        "unit_price": "0.00",
        "currency": "EUR",
        "price_unit": "flat",
        "objects": 1,
        "files": 1,
        "bytes": 1,
    },
]

SET = PRODUCTS[0] | {
    "tax_class": "standard",
    "titles": {},
    "descriptions": {},
    "description": None,
    "license": None,
    "most_objects": 2,
    "most_bytes": None,
    "access_groups": ["partners"],
    "set_by_hand": ["access_groups"],
}


@pytest.fixture
def consignor(sessions: async_sessionmaker[AsyncSession], database_url: str, tmp_path: Path) -> Consignor:
    """The command with an empty database."""

    def given(*words: str | Path, **environment: str) -> Done:
        own = {"DATABASE_URL": database_url, "CONSIGNOR_DATA": str(tmp_path / "no-stack"), **environment}
        return run(own, "catalog", *words)

    return given


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "winter"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"12345")
    (folder / ".hidden").write_bytes(b"")
    return folder


@pytest.fixture
def api() -> Iterator[str]:
    """Somebody who answers as the API would."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers = {"products": {"items": PRODUCTS, "next_cursor": None}, "products/w": SET}
            found = answers.get(self.path.partition("?")[0].removeprefix("/api/v1/"))
            self.answer(404 if found is None else 200, found)

        def do_PATCH(self) -> None:
            self.answer(200, SET | json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not a word."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_import_says_what_it_did_and_what_it_refused(consignor: Consignor, source: Path) -> None:
    done = consignor("import", source, "--price", "12.50", "--currency", "chf")
    assert (done.returncode, done.stderr) == (0, "")
    heads, values, refused = (line.split() for line in done.stdout.splitlines())
    said = dict(zip(heads, values, strict=False))
    assert (said["sku"], said["added"], said["withdrawn"], said["refused"]) == ("winter", "1", "0", "1")
    assert " ".join(refused).startswith("winter: refused .hidden: it is hidden")


def test_scripts_get_json(consignor: Consignor, source: Path) -> None:
    consignor("import", source)
    (report,) = json.loads(consignor("import", source, "--sku", "winter", "--name", "W", "--json").stdout)
    assert (report["sku"], report["name"], report["product"]) == ("winter", "W", "changed")
    assert (report["files"], report["unchanged"], report["added"]) == (1, 1, 0)
    (refused,) = report["refused"]
    assert (refused["what"], refused["why"].partition(",")[0]) == (".hidden", "it is hidden")
    assert refused.keys() == {"what", "why"}


def test_an_import_of_nothing_fails(consignor: Consignor, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    failed = consignor("import", tmp_path / "empty")
    assert failed.returncode == 1
    assert f"nothing could be imported from {tmp_path / 'empty'}" in failed.stderr


def test_an_import_that_could_not_look_at_everything_says_what_it_kept_and_fails(
    consignor: Consignor, source: Path
) -> None:
    consignor("import", source)
    (source / "a.csv").unlink()
    (source / "a.csv").symlink_to("nowhere")
    (source / "b.csv").write_bytes(b"1")
    failed = consignor("import", source)
    assert failed.returncode == 1
    assert failed.stderr == f"consignor: not all of {source} could be imported; what is known of the rest stays\n"
    said = dict(zip(*(line.split() for line in failed.stdout.splitlines()[:2]), strict=False))
    assert (said["added"], said["withdrawn"], said["kept"], said["objects"]) == ("1", "0", "1", "2")
    assert "winter: could not look at a.csv: it is not there" in failed.stdout


def test_a_product_is_removed_when_it_is_meant(consignor: Consignor, source: Path) -> None:
    consignor("import", source)
    asked = consignor("remove", "winter")
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    done = consignor("remove", "winter", "--yes")
    assert (done.returncode, done.stdout) == (0, "winter  removed with 1 object, 1 file\n")
    failed = consignor("remove", "winter", "--yes")
    assert (failed.returncode, failed.stderr) == (1, "consignor: there is no product winter\n")


def test_a_source_that_is_not_there_is_a_sentence(consignor: Consignor, tmp_path: Path) -> None:
    failed = consignor("import", tmp_path / "nowhere")
    assert (failed.returncode, failed.stderr) == (1, f"consignor: {tmp_path / 'nowhere'}: it is not there\n")


@pytest.mark.parametrize(
    "words",
    [
        ("--price", "-1"),
        ("--price", "1.005", "--currency", "EUR"),
        ("--price", "cheap"),
        ("--currency", "EURO"),
        ("--sku", " "),
    ],
)
def test_a_wrong_option_is_wrong_usage(consignor: Consignor, source: Path, words: tuple[str, ...]) -> None:
    wrong = consignor("import", source, *words)
    assert wrong.returncode == 2
    assert words[0] in wrong.stderr


def test_a_database_that_is_not_migrated_is_named(consignor: Consignor, source: Path, databases: Databases) -> None:
    failed = consignor("import", source, DATABASE_URL=databases.empty("not_migrated"))
    assert failed.returncode == 1
    assert "consignor migrate" in failed.stderr


def test_a_database_that_is_away_is_a_sentence(consignor: Consignor, source: Path) -> None:
    failed = consignor("import", source, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert failed.returncode == 1
    assert failed.stderr.startswith("consignor: the database did not do it")


def test_products_are_listed_for_people_and_for_scripts(consignor: Consignor, api: str) -> None:
    listed = consignor("list", CONSIGNOR_PUBLIC_URL=api)
    assert listed.returncode == 0
    _, winter, free = (line.split() for line in listed.stdout.splitlines())
    assert winter == ["w", "[red]W", "2", "1,234", "5.0", "kB", "12.50", "CHF"]
    assert free[-1] == "free"
    assert json.loads(consignor("list", "--json", CONSIGNOR_PUBLIC_URL=api).stdout) == PRODUCTS


def test_checksums_are_computed_ahead_when_wanted(consignor: Consignor, source: Path) -> None:
    done = consignor("import", source, "--checksums")
    assert done.returncode == 0, done.stderr
    assert "winter: read 1 files, 5 B" in done.stdout
    (again,) = json.loads(consignor("import", source, "--checksums", "--json").stdout)
    assert again["checksums"] == {"files": 0, "size_bytes": 0, "refused": []}
    (source / "a.csv").write_bytes(b"123456")
    (changed,) = json.loads(consignor("import", source, "--checksums", "--json").stdout)
    assert changed["checksums"] == {"files": 1, "size_bytes": 6, "refused": []}
    assert "checksums" not in json.loads(consignor("import", source, "--json").stdout)[0]


def test_a_product_is_shown_with_what_was_set_by_hand(consignor: Consignor, api: str) -> None:
    done = consignor("product", "w", CONSIGNOR_PUBLIC_URL=api, CONSIGNOR_TOKEN="t")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "w  [red]W",
        "price   12.50 CHF",
        "holds   2 objects, 1,234 files, 5.0 kB",
        "open to partners (set by hand)",
        "limit   2 objects in one order",
    ]


def test_only_what_is_given_is_set(consignor: Consignor, api: str) -> None:
    words = ("--price", "7", "--public", "--most-objects", "0", "--reset", "name", "--json")
    done = consignor("product", "w", *words, CONSIGNOR_PUBLIC_URL=api, CONSIGNOR_TOKEN="t")
    change: dict[str, object] = {"unit_price": "7", "access_groups": [], "most_objects": None, "name": None}
    assert json.loads(done.stdout) == SET | change


def test_a_price_is_set_with_its_unit_and_texts_by_language(consignor: Consignor, api: str) -> None:
    words = ("--price", "4", "--price-unit", "gb", "--tax-class", "reduced", "--title-en", "Winter\x1b[2J")
    done = consignor("product", "w", *words, "--title-fr", "Hiver", CONSIGNOR_PUBLIC_URL=api, CONSIGNOR_TOKEN="t")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:6] == [
        "price   4 CHF for a GB",
        "holds   2 objects, 1,234 files, 5.0 kB",
        "tax     reduced",
        "title   en: Winter\\x1b[2J",
        "title   fr: Hiver",
    ]
    gone = consignor("product", "w", "--description-en", "", "--json", CONSIGNOR_PUBLIC_URL=api, CONSIGNOR_TOKEN="t")
    assert json.loads(gone.stdout) == SET | {"descriptions": {"en": None}}


def test_a_setting_that_cannot_be_taken_back_is_named(consignor: Consignor) -> None:
    done = consignor("product", "w", "--reset", "sku")
    assert done.returncode == 2
    assert "'sku' is none of name, price, groups" in " ".join(done.stderr.replace("│", " ").split())
