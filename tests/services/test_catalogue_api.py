"""A STAC API becomes products, page by page: what is there, what has gone, what is cut, and where nobody is sent."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text

from models.errors import Refusal, SourceUnreadable
from services.catalogue import ImportOptions, ImportReport
from services.catalogue.stac_api import ApiSource, import_api
from storage.sources import web_documents
from storage.sources.web_documents import WebDocuments
from tests.cli.shell import run
from tests.services.catalogue_sources import Sessions, collection, item, put, rows

OBJECTS = "SELECT name FROM catalogue_objects ORDER BY name"
LATER = datetime(2025, 1, 1, tzinfo=UTC)
WAYS = ("GET", "POST")


@dataclass
class Server:
    """A STAC API of one collection: pages of items by number, and what was asked of it."""

    url: str
    pages: list[list[dict[str, Any]]] = field(default_factory=list)
    way: str = "GET"
    answers: dict[str, tuple[int, dict[str, str], Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def answer(self, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        """Status, headers and document."""
        page = int(body["page"] if body else path.partition("page=")[2] or 1)
        self.asked.append(f"{path}#{page}" if body else path)
        if path in self.answers:
            return self.answers[path]
        if path == "/c":
            head = collection("c", []) | {"links": [{"rel": "items", "href": f"{self.url}/c/items"}]}
            return 200, {}, head
        following = {"rel": "next", "href": f"/c/items?page={page + 1}"}
        if self.way == "POST":
            following = {"rel": "next", "href": "/search", "method": "POST", "body": {"page": page + 1}, "merge": True}  # type: ignore[dict-item]
        more = [following] if page < len(self.pages) else []
        return 200, {}, {"type": "FeatureCollection", "features": self.pages[page - 1], "links": more}

    def documents(self, **options: Any) -> WebDocuments:
        """Who asks it, and waits for nothing."""
        return WebDocuments(self.url, **{"rate": 1000, "pause": self.waited.append, **options})


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server of this process."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            status, headers, document = made.answer(self.path, json.loads(self.rfile.read(length)) if length else None)
            content = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Not a word."""

    with HTTPServer(("127.0.0.1", 0), Answer) as listening:
        made = Server(f"http://127.0.0.1:{listening.server_port}")
        Thread(target=listening.serve_forever, daemon=True).start()
        yield made
        listening.shutdown()


@pytest.fixture
def scenes(server: Server, tmp_path: Path) -> Server:
    """Three items on two pages, whose files lie in a folder."""
    server.pages = [[scene("a"), scene("b")], [scene("d")]]
    for name in "abd":
        put(tmp_path / name / "image 1.tif")
    return server


def scene(name: str, href: str | None = None, updated: str | None = None) -> dict[str, Any]:
    properties = {"datetime": "2024-06-01T00:00:00Z"} | ({"updated": updated} if updated else {})
    where = href or f"https://files.example/archive/{name}/image%201.tif?sig=1"
    return item(name, {"image": {"href": where}}, properties=properties, collection="c")


async def imported(sessions: Sessions, server: Server, files: Path, path: str = "/c", **more: Any) -> ImportReport:
    given = {name: more.pop(name) for name in ("since",) if name in more}
    source = ApiSource(f"{server.url}{path}", str(files), "https://files.example/archive/", **given)
    documents = server.documents(**{name: more.pop(name) for name in ("resolve", "rate") if name in more})
    (report,) = await import_api(sessions, source, ImportOptions(**more), documents)
    return report


@pytest.mark.parametrize("way", WAYS)
async def test_all_pages_of_a_collection_are_its_product(
    sessions: Sessions, scenes: Server, tmp_path: Path, way: str
) -> None:
    scenes.way = way
    report = await imported(sessions, scenes, tmp_path)
    assert (report.sku, report.added, report.objects, report.incomplete) == ("c", 3, 3, False)
    files = "SELECT href, document FROM catalogue_files f JOIN catalogue_objects o ON o.id = object_id ORDER BY href"
    assert (await rows(sessions, files))[0] == ("a/image 1.tif", "a")
    assert await rows(sessions, "SELECT location, source FROM products") == [(str(tmp_path), f"{scenes.url}/c")]
    again = await imported(sessions, scenes, tmp_path)
    assert (again.product, again.unchanged, again.added) == ("unchanged", 3, 0)
    assert await rows(sessions, "SELECT count(*) FROM catalogue_pages") == [0]


async def test_what_a_complete_look_no_longer_shows_is_withdrawn(
    sessions: Sessions, scenes: Server, tmp_path: Path
) -> None:
    await imported(sessions, scenes, tmp_path)
    scenes.pages.pop()
    assert (await imported(sessions, scenes, tmp_path)).withdrawn == 1
    assert await rows(sessions, OBJECTS) == ["a", "b"]


async def test_what_was_written_since_is_taken_and_nothing_withdrawn(
    sessions: Sessions, scenes: Server, tmp_path: Path
) -> None:
    await imported(sessions, scenes, tmp_path)
    put(tmp_path / "e" / "image 1.tif")
    scenes.pages = [[scene("a", updated="2024-01-01T00:00:00Z"), scene("e", updated="2025-01-02T00:00:00Z")]]
    report = await imported(sessions, scenes, tmp_path, since=LATER)
    assert (report.added, report.unchanged, report.withdrawn, report.incomplete) == (1, 0, 0, False)
    assert "3 known files were not asked for, and stay" in report.notes
    assert await rows(sessions, OBJECTS) == ["a", "b", "d", "e"]


async def test_an_import_that_was_cut_changes_nothing_and_goes_on_where_it_was(
    sessions: Sessions, scenes: Server, tmp_path: Path
) -> None:
    second = "/c/items?page=2"
    scenes.answers[second] = (500, {}, {})
    with pytest.raises(SourceUnreadable, match=r"page 2 of .*: it answers 500, 5 times; nothing was changed"):
        await imported(sessions, scenes, tmp_path)
    assert await rows(sessions, OBJECTS) == []
    scenes.answers.clear()
    scenes.asked.clear()
    assert (await imported(sessions, scenes, tmp_path)).added == 3
    assert scenes.asked == ["/c", second]


async def test_pages_of_long_ago_are_read_again(sessions: Sessions, scenes: Server, tmp_path: Path) -> None:
    scenes.answers["/c/items?page=2"] = (404, {}, {})
    with pytest.raises(SourceUnreadable):
        await imported(sessions, scenes, tmp_path)
    async with sessions.begin() as session:
        await session.execute(text("UPDATE catalogue_pages SET read_at = now() - interval '2 days'"))
    scenes.answers.clear()
    scenes.asked.clear()
    await imported(sessions, scenes, tmp_path)
    assert scenes.asked == ["/c", "/c/items", "/c/items?page=2"]


async def test_what_lies_elsewhere_is_refused_by_name_and_not_catalogued(
    sessions: Sessions, scenes: Server, tmp_path: Path
) -> None:
    scenes.pages[0] += [scene("x", "https://elsewhere.example/x.tif"), scene("y", "s3://bucket/y.tif"), {"id": "z"}]
    out = scene("o", "https://files.example/archive/../../etc/passwd")
    scenes.pages[0] += [out, "no item", scene("g", "https://files.example/archive/gone.tif")]  # type: ignore[list-item]
    report = await imported(sessions, scenes, tmp_path)
    assert {entry.what for entry in report.refused} == {"x/image", "y/image", "z", "o/image", "an item", "g/image"}
    assert await rows(sessions, OBJECTS) == ["a", "b", "d"]


@pytest.mark.parametrize("url", ["https://elsewhere.example/c", "http://127.0.0.1:1/c", "file:///etc/passwd"])
async def test_no_document_sends_us_to_another_server(
    sessions: Sessions, scenes: Server, tmp_path: Path, url: str
) -> None:
    scenes.answers["/c/items"] = (302, {"Location": url}, {})
    with pytest.raises(Refusal, match=r"is at another server|is no URL of the web"):
        await imported(sessions, scenes, tmp_path)
    links = [{"rel": "next", "href": url}]
    scenes.answers["/c/items"] = (200, {}, {"type": "FeatureCollection", "features": [], "links": links})
    with pytest.raises(Refusal, match=r"is at another server|is no URL of the web"):
        await imported(sessions, scenes, tmp_path)


async def test_a_metadata_service_is_not_asked(sessions: Sessions, scenes: Server, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="a link-local address or a metadata service"):
        await imported(sessions, scenes, tmp_path, resolve=lambda _host, _port: ["169.254.169.254"])
    assert scenes.asked == []


async def test_a_server_is_asked_no_faster_than_it_wants(sessions: Sessions, scenes: Server, tmp_path: Path) -> None:
    await imported(sessions, scenes, tmp_path, rate=0.5)
    assert len(scenes.waited) == 2
    assert all(1 < wait <= 4 for wait in scenes.waited)
    scenes.waited.clear()
    scenes.answers["/c"] = (429, {"Retry-After": "7"}, {})
    with pytest.raises(SourceUnreadable, match="it answers 429, 5 times"):
        await imported(sessions, scenes, tmp_path)
    assert scenes.waited.count(7.0) == 4
    scenes.answers["/c"] = (503, {"Retry-After": "86400"}, {})
    with pytest.raises(SourceUnreadable, match="wants to be left alone for 86,400 s"):
        await imported(sessions, scenes, tmp_path)


def endless(links: list[dict[str, Any]]) -> Callable[[Server], None]:
    def answer(server: Server) -> None:
        server.answers["/c/items"] = (200, {}, {"type": "FeatureCollection", "features": [], "links": links})

    return answer


def large(server: Server) -> None:
    server.answers["/c/items"] = (200, {}, {"type": "FeatureCollection", "features": ["x" * 300]})


def no_page(server: Server) -> None:
    server.answers["/c/items"] = (200, {}, {"features": {"a": 1}})


def moving(server: Server) -> None:
    server.answers["/c/items"] = (301, {"Location": "/c/items"}, {})


@pytest.mark.parametrize(
    ("worst", "why"),
    [
        (endless([{"rel": "next", "href": "/c/items"}]), "lead in a circle"),
        (large, "has more than 200 bytes"),
        (no_page, "it is no page of items"),
        (moving, "without an end"),
    ],
)
async def test_what_has_no_end_ends(
    sessions: Sessions,
    scenes: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    worst: Callable[[Server], None],
    why: str,
) -> None:
    worst(scenes)
    monkeypatch.setattr(web_documents, "MAX_DOCUMENT_BYTES", 200 if worst is large else 10_000)
    scenes.answers["/c"] = (200, {}, {"type": "Collection", "id": "c", "links": [{"rel": "items", "href": "/c/items"}]})
    with pytest.raises(SourceUnreadable, match=why):
        await imported(sessions, scenes, tmp_path)


async def test_items_alone_are_of_the_collection_that_they_name(
    sessions: Sessions, scenes: Server, tmp_path: Path
) -> None:
    assert (await imported(sessions, scenes, tmp_path, "/c/items")).sku == "c"
    scenes.pages[0].append(item("m", {}, collection="other"))
    with pytest.raises(Refusal, match="2 collections"):
        await imported(sessions, scenes, tmp_path, "/c/items")
    assert (await imported(sessions, scenes, tmp_path, "/c/items", sku="c")).unchanged == 3
    assert await rows(sessions, "SELECT count(*) FROM catalogue_pages") == [0]


async def test_a_collection_that_cannot_be_read_costs_the_others_nothing(
    sessions: Sessions, scenes: Server, tmp_path: Path
) -> None:
    heads = [
        {"id": name, "type": "Collection", "links": [{"rel": "items", "href": f"/{name}/items"}]} for name in ("z", "c")
    ]
    scenes.answers["/"] = (200, {}, {"type": "Catalog", "id": "r", "links": [{"rel": "data", "href": "/all"}]})
    scenes.answers["/all"] = (200, {}, {"collections": heads, "links": []})
    scenes.answers["/z/items"] = (403, {}, {})
    source = ApiSource(f"{scenes.url}/", str(tmp_path), "https://files.example/archive")
    broken, whole = await import_api(sessions, source, ImportOptions(), scenes.documents())
    assert (broken.sku, broken.product, whole.sku, whole.added) == ("z", "absent", "c", 3)
    assert "page 1 of" in (broken.refusal or "")


def test_the_command_says_what_it_did(sessions: Sessions, database_url: str, scenes: Server, tmp_path: Path) -> None:
    where = ("--files", tmp_path, "--files-at", "https://files.example/archive", "--rate", "1000", "--json")
    done = run({"DATABASE_URL": database_url}, "catalog", "import-api", f"{scenes.url}/c", *where)
    assert (done.returncode, json.loads(done.stdout)[0]["added"]) == (0, 3), done.stderr
    wrong = run({"DATABASE_URL": database_url}, "catalog", "import-api", "https://me:secret@a.example/", *where)
    assert wrong.returncode == 2
    assert "secret" not in wrong.stderr
