"""Bad input, everywhere: none of it is a mistake of ours, and every refusal is a problem that names what is wrong."""

import dataclasses
import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from api.contract.sharing import inlined
from tests.api.conftest import PUBLIC_URL
from tests.api.test_access_matrix import endpoints
from tests.issuer import as_

STAC_SEARCH = f"{PUBLIC_URL}/stac/search"
NOBODY = "00000000-0000-7000-8000-000000000000"
JSON = {"Content-Type": "application/json"}
LINE = {"product": "scenes"}
LOCAL = {"kind": "local", "name": "exports", "folder": "/exports"}
S3 = {"kind": "s3", "name": "b", "bucket": "my-bucket", "access_key_id": "a", "secret_access_key": "s"}
TOKEN = {"name": "nightly", "scopes": ["read"]}


@dataclass(frozen=True)
class Row:
    """A request, and the field that its refusal names; None where there is none to name, as in 404."""

    name: str
    method: str
    path: str
    field: str | None
    status: int = 422
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


def checked(answer: Response, status: int, named: str | None) -> None:
    """The answer is a problem of this status whose faults name the field."""
    assert answer.status_code == status, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"]
    assert problem["detail"]
    if named is not None:
        fields = [fault["field"] for fault in problem["faults"]]
        assert any(named in found.split("/") or found == named for found in fields), (named, problem["faults"][:5])


WRITING = (
    "POST /orders",
    "POST /orders:estimate",
    "POST /orders.csv",
    "POST /destinations",
    "POST /tokens",
    f"PATCH /orders/{NOBODY}",
    f"POST /orders/{NOBODY}/restart",
    f"POST /orders/{NOBODY}/extend",
    f"POST /orders/{NOBODY}/cancel",
    f"POST /orders/{NOBODY}/notes",
    f"PATCH /orders/{NOBODY}/notes/{NOBODY}",
    "POST /views",
    f"PATCH /views/{NOBODY}",
    "POST /orders:bulk",
    f"POST {STAC_SEARCH}",
    "POST /objects:search",
    "POST /cart/selections",
    "POST /cart:estimate",
    "POST /cart:order",
    "PATCH /settings",
    "PATCH /products/scenes",
    "PUT /prices/lists/labs/scenes",
    "POST /prices/discounts",
    f"PUT /prices/discounts/{NOBODY}",
    "PUT /prices/tax-rates/FR/standard",
    "PUT /prices/terms",
)
"""Every route that takes a body."""

OF_ADMINS = ("/prices/", "/settings", "/products/scenes")
"""Where paths begin that are refused to all others before they are looked at."""

TOLD_BY = {"POST /destinations": "kind", "POST /orders:bulk": "action"}
"""Of what kind these are has to be known before their fields are."""

BODIES: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("truncated", b'{"label": ', JSON, 422, "body"),
    ("no JSON", b"label=x", JSON, 422, "body"),
    ("two documents", b"{} {}", JSON, 422, "body"),
    ("a trailing comma", b'{"label": "a",}', JSON, 422, "body"),
    ("a comment", b'{"label": "a" /* x */}', JSON, 422, "body"),
    ("single quotes", b"{'label': 'a'}", JSON, 422, "body"),
    ("a byte order mark", b"\xef\xbb\xbf{}", JSON, 422, "body"),
    ("UTF-16", '{"label": "a"}'.encode("utf-16"), JSON, 422, "body"),
    ("invalid UTF-8", b'{"label": "\xff\xfe"}', JSON, 422, "body"),
    ("an overlong encoding", b'{"label": "\xc0\xaf"}', JSON, 422, "body"),
    ("a surrogate in UTF-8", b'{"label": "\xed\xa0\x80"}', JSON, 422, "body"),
    ("a NUL byte", b'{"label": "a\x00b"}', JSON, 422, "body"),
    ("a NUL escaped", b'{"label": "a\\u0000b"}', JSON, 422, "label"),
    ("a lone surrogate", b'{"label": "\\ud800"}', JSON, 422, "label"),
    ("NaN", b'{"label": NaN}', JSON, 422, "label"),
    ("Infinity", b'{"label": -Infinity}', JSON, 422, "label"),
    ("a huge integer", b'{"label": 1' + b"0" * 400 + b"}", JSON, 422, "label"),
    ("a huge float", b'{"label": 1e999}', JSON, 422, "label"),
    ("a member twice", b'{"label": "a", "label": "b"}', JSON, 422, "label"),
    ("a member twice in disguise", b'{"label": "a", "l\\u0061bel": "b"}', JSON, 422, "label"),
    ("forty deep", b'{"a":' * 40 + b"1" + b"}" * 40, JSON, 422, "a"),
    ("a hundred thousand deep", b"[" * 100_000, JSON, 422, "body"),
    ("an array", b"[]", JSON, 422, "body"),
    ("a text", b'"label"', JSON, 422, "body"),
    ("a number", b"7", JSON, 422, "body"),
    ("true", b"true", JSON, 422, "body"),
    ("compressed", gzip.compress(b"{}"), {**JSON, "Content-Encoding": "gzip"}, 415, "Content-Encoding"),
    ("said to be compressed", b"{}", {**JSON, "Content-Encoding": "br"}, 415, "Content-Encoding"),
    ("plain text", b"{}", {"Content-Type": "text/plain"}, 415, "Content-Type"),
    ("a form", b"label=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "Content-Type"),
    ("parts", b"--x--", {"Content-Type": "multipart/form-data; boundary=x"}, 415, "Content-Type"),
    ("XML", b"<label/>", {"Content-Type": "application/xml"}, 415, "Content-Type"),
    ("a strange type", b"{}", {"Content-Type": "application/json2"}, 415, "Content-Type"),
    ("no type", b"{}", {"Content-Type": ""}, 415, "Content-Type"),
    ("an unknown field", b'{"labl": "x"}', JSON, 422, "labl"),
]


def post(name: str, path: str, json: Any, named: str) -> Row:
    return Row(f"{path.split('/')[1]}: {name}", "POST", path, named, json=json)


def patch(name: str, path: str, json: Any, named: str) -> Row:
    return Row(f"{path.split('/')[1]}: {name}", "PATCH", path, named, json=json)


ORDER, EXTEND, COMMAND = f"/orders/{NOBODY}", f"/orders/{NOBODY}/extend", f"/orders/{NOBODY}/cancel"

FIELDS = [
    post("items are a text", "/orders", {"items": "all"}, "items"),
    post("items are empty", "/orders", {"items": []}, "items"),
    post("too many items", "/orders", {"items": [LINE] * 1001}, "items"),
    post("a product is a number", "/orders", {"items": [{"product": 7}]}, "product"),
    post("a product is too long", "/orders", {"items": [{"product": "x" * 1025}]}, "product"),
    post("objects are a number", "/orders", {"items": [{**LINE, "objects": 7}]}, "objects"),
    post("an object is null", "/orders", {"items": [{**LINE, "objects": [None]}]}, "objects"),
    post("files are an object", "/orders", {"files": {}}, "files"),
    post("a file is a list", "/orders", {"files": [[]]}, "files"),
    post("files and items", "/orders", {"files": [NOBODY], "items": [LINE]}, "body"),
    post("a label is too long", "/orders", {"items": [LINE], "label": "x" * 51}, "label"),
    post("a label breaks lines", "/orders", {"items": [LINE], "label": "a\r\nSet-Cookie: b=c"}, "label"),
    post("a label is blank", "/orders", {"items": [LINE], "label": "\u200b \t"}, "label"),
    post("a label is a number", "/orders", {"items": [LINE], "label": 7}, "label"),
    post("a draft is a text", "/orders", {"items": [LINE], "draft": "yes"}, "draft"),
    post("a draft is 1", "/orders", {"items": [LINE], "draft": 1}, "draft"),
    post("a destination is empty", "/orders", {"items": [LINE], "delivery": {"destination": ""}}, "destination"),
    post("a destination is unknown", "/orders", {"items": [LINE], "delivery": {"destination": "x"}}, "destination"),
    post("a token without scopes", "/tokens", {**TOKEN, "scopes": []}, "scopes"),
    post("a token of strange scopes", "/tokens", {**TOKEN, "scopes": ["root"]}, "scopes"),
    post("a token's name breaks lines", "/tokens", {**TOKEN, "name": "a\r\nb"}, "name"),
    post("a token's name is too long", "/tokens", {**TOKEN, "name": "x" * 101}, "name"),
    post("a token for no day", "/tokens", {**TOKEN, "days": 0}, "days"),
    post("a token for negative days", "/tokens", {**TOKEN, "days": -1}, "days"),
    post("a token for ever", "/tokens", {**TOKEN, "days": 2**62}, "days"),
    post("a token for half a day", "/tokens", {**TOKEN, "days": 0.5}, "days"),
    post("a token for true days", "/tokens", {**TOKEN, "days": True}, "days"),
    post("days as a text", "/tokens", {**TOKEN, "days": "7"}, "days"),
    post("a destination of no kind", "/destinations", {"name": "a"}, "kind"),
    post("a destination of a strange kind", "/destinations", {**LOCAL, "kind": "ftp"}, "kind"),
    post("a folder that climbs", "/destinations", {**LOCAL, "folder": "/exports/../../etc"}, "folder"),
    post("a folder that is relative", "/destinations", {**LOCAL, "folder": "exports"}, "folder"),
    post("a prefix that climbs", "/destinations", {**LOCAL, "prefix": "../{number}"}, "prefix"),
    post("a prefix of strange fields", "/destinations", {**LOCAL, "prefix": "{password}"}, "prefix"),
    post("a name that breaks lines", "/destinations", {**LOCAL, "name": "a\r\nb"}, "name"),
    post("a bucket in capitals", "/destinations", {**S3, "bucket": "My_Bucket"}, "bucket"),
    post("an endpoint that is a file", "/destinations", {**S3, "endpoint": "file:///etc/passwd"}, "endpoint"),
    post("an endpoint inside", "/destinations", {**S3, "endpoint": "http://169.254.169.254"}, "endpoint"),
    post("a key that is a list", "/destinations", {**S3, "access_key_id": []}, "access_key_id"),
    post("a key that is too long", "/destinations", {**S3, "secret_access_key": "s" * 2001}, "secret_access_key"),
    post("an end that is no date", EXTEND, {"expires_at": "tomorrow"}, "expires_at"),
    post("an end without an offset", EXTEND, {"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
    post("an end in seconds", EXTEND, {"expires_at": 1893456000}, "expires_at"),
    post("an end in seconds as a text", EXTEND, {"expires_at": "1893456000"}, "expires_at"),
    post("an end on 30 February", EXTEND, {"expires_at": "2030-02-30T00:00:00Z"}, "expires_at"),
    post("an end in the year 10000", EXTEND, {"expires_at": "10000-01-01T00:00:00Z"}, "expires_at"),
    post("no end", EXTEND, {}, "expires_at"),
    post("a reason that breaks lines", COMMAND, {"reason": "a\r\nb"}, "reason"),
    post("a reason that is too long", COMMAND, {"reason": "x" * 10_000}, "reason"),
    post("a reason that is a list", COMMAND, {"reason": ["a"]}, "reason"),
    post("file 0", COMMAND, {"files": [0]}, "files"),
    post("file −1", COMMAND, {"files": [-1]}, "files"),
    post("file 2⁵³", COMMAND, {"files": [2**53]}, "files"),
    post("file 1.5", COMMAND, {"files": [1.5]}, "files"),
    post("too many files", COMMAND, {"files": [1] * 100_000}, "files"),
    post("a command nobody knows", f"/orders/{NOBODY}/explode", {}, "verb"),
    post("an estimate of nothing", "/orders:estimate", {}, "body"),
    post("an estimate of files and items", "/orders:estimate", {"files": [NOBODY], "items": [LINE]}, "body"),
    patch("a change of nothing", ORDER, {}, "body"),
    patch("a label of an order is null", ORDER, {"label": None}, "label"),
    patch("tags are a text", ORDER, {"tags": "winter"}, "tags"),
    patch("a tag is a number", ORDER, {"tags": [7]}, "tags"),
    patch("a thousand and one tags", ORDER, {"tags": ["a"] * 1001}, "tags"),
    post("a note without text", f"{ORDER}/notes", {}, "text"),
    post("a note for nobody", f"{ORDER}/notes", {"text": "a", "visibility": "nobody"}, "visibility"),
    patch("a note that is too long", f"{ORDER}/notes/{NOBODY}", {"text": "x" * 40_001}, "text"),
    post("a view of no name", "/views", {"name": ""}, "name"),
    post("a view sorted twice", "/views", {"name": "a", "filter": {"sort": "-number"}}, "sort"),
    patch("a view of a strange filter", f"/views/{NOBODY}", {"filter": {"colour": "red"}}, "colour"),
    patch("columns in capitals", f"/views/{NOBODY}", {"columns": ["Label"]}, "columns"),
    post("ids are no UUIDs", "/orders.csv", {"ids": ["1"]}, "ids"),
    post("no ids", "/orders.csv", {"ids": []}, "ids"),
    post("ids are numbers", "/orders.csv", {"ids": [1]}, "ids"),
]


def get(name: str, path: str, named: str | None, status: int = 422, headers: Mapping[str, str] = {}) -> Row:
    return Row(name, "GET", path, named, status, headers=headers)


PARAMETERS = [
    get("a status nobody knows", "/orders?status=done", "status"),
    get("a sort nobody knows", "/orders?sort=price", "sort"),
    get("a sort of sorts", "/orders?sort=number;drop", "sort"),
    get("a filter nobody knows", "/orders?colour=red", "colour"),
    get("a filter in brackets", "/orders?status[]=failed", "status[]"),
    get("a sort twice", "/orders?sort=number&sort=-number", "sort"),
    get("a limit twice", "/orders?limit=1&limit=2", "limit"),
    get("a NUL in a search", "/orders?q=%00", "q"),
    get("a search that is too long", f"/orders?q={'x' * 201}", "q"),
    get("a date that is none", "/orders?created_after=2026-13-01T00:00:00Z", "created_after"),
    get("a date in seconds", "/orders?created_after=1893456000", "created_after"),
    get("a date without an offset", "/orders?expires_before=2026-01-01T00:00:00", "expires_before"),
    get("a negative size", "/orders?min_bytes=-1", "min_bytes"),
    get("a size of 2⁶³", f"/orders?max_bytes={2**63}", "max_bytes"),
    get("a size that is NaN", "/orders?max_bytes=NaN", "max_bytes"),
    get("an id that is none", "/orders?ids=1", "ids"),
    get("a truth that is none", "/orders?waiting_for_user=perhaps", "waiting_for_user"),
    get("a filter nobody knows of an export", "/orders.csv?colour=red", "colour"),
    get("a mark that is none", "/orders.csv?bom=perhaps", "bom"),
    get("a status of lines nobody knows", "/orders.jsonl?status=done", "status"),
    get("days that are too many", "/stats?days=367", "days"),
    get("days that are none", "/stats?days=ten", "days"),
    get("days twice", "/stats?days=1&days=2", "days"),
    get("a parameter that products do not know", "/products?colour=blue", "colour"),
    get("a parameter that an order does not know", f"/orders/{NOBODY}?expand=1", "expand"),
    get("a scope nobody knows", "/tokens?scope=everybody", "scope"),
    get("events of no order", "/events?order=1", "order"),
    get("events of a status nobody knows", "/events?status=done", "status"),
    get("a part 0", f"/orders/{NOBODY}/metalink?part=0", "part"),
    get("a part that is none", f"/orders/{NOBODY}/metalink?part=x", "part"),
    get("an order that is no UUID", "/orders/CO-2026-000042", "order_id"),
    get("an order that is a NUL", "/orders/%00", "order_id"),
    get("an order that climbs", "/orders/..%2F..%2Fetc%2Fpasswd", "order_id"),
    get("an order that breaks lines", "/orders/a%0d%0aSet-Cookie:%20b=c", "order_id"),
    get("a file that is no number", f"/orders/{NOBODY}/files/first/content", "file"),
    get("an archive of no number", f"/orders/{NOBODY}/suborders/one/archive", "number"),
    get("an archive of a huge number", f"/orders/{NOBODY}/suborders/{'9' * 5000}/archive", "number"),
    get("an object that is no UUID", "/objects/winter/files", "object_id"),
    get("a token that is no UUID", "/tokens/cnsg_x", "token_id"),
    get("a destination that is too long", f"/destinations/{'x' * 101}", "key"),
    get("a product that is a NUL", "/products/%00/objects", None, 422),
    get("a product that nobody knows", "/products/..%5c..%5cetc/objects", None, 404),
    get("a link that was made up", f"/links/abc/orders/{NOBODY}/suborders/1/archive", None, 403),
    get("a link that is a NUL", f"/links/%00/orders/{NOBODY}/metalink", None, 403),
    get("an If-Match of something else", "/orders", None, 412, {"If-Match": '"x"'}),
    get("an If-Match that is no tag", "/orders", None, 412, {"If-Match": "x, ,,"}),
    get("a last event that is too long", "/events", "Last-Event-ID", 422, {"Last-Event-ID": "9" * 65}),
    get("no token at all", "/orders", None, 401, {"Authorization": ""}),
    get("a token of another scheme", "/orders", None, 401, {"Authorization": "Basic YTpi"}),
    get("a token that is none", "/orders", None, 401, {"Authorization": "Bearer a.b.c"}),
    get("a token that is too long", "/orders", None, 401, {"Authorization": f"Bearer {'x' * 50_000}"}),
    Row("an empty key", "POST", COMMAND, "Idempotency-Key", headers={"Idempotency-Key": ""}),
    Row("a key that is too long", "POST", COMMAND, "Idempotency-Key", headers={"Idempotency-Key": "x" * 300}),
    Row("a method nobody knows", "BREW", "/orders", None, 405),
    Row("a method that is not here", "PUT", "/orders", None, 405),
    Row("an unsigned payment", "POST", "/webhooks/payments", "webhook-id", content=b"{}"),
    Row("a login that leads elsewhere", "GET", f"/login?return_to={'/x' * 600}", "return_to"),
]  # fmt: skip

PAGED = (
    "/orders",
    "/products",
    "/products/scenes/objects",
    "/objects",
    "/cart/objects",
    f"/objects/{NOBODY}/files",
    "/destinations",
    "/views",
    f"/orders/{NOBODY}/files",
    f"/orders/{NOBODY}/folders",
    f"/orders/{NOBODY}/links",
    f"/orders/{NOBODY}/suborders",
    f"/orders/{NOBODY}/timeline",
    f"/orders/{NOBODY}/deliveries",
    f"/orders/{NOBODY}/notes",
    f"/orders/{NOBODY}/stac/items",
    "/tokens",
    "/bulks",
    "/settings/changes",
    f"/bulks/{NOBODY}/orders",
    "/products/scenes/changes",
    "/prices/lists",
    "/prices/discounts",
    "/prices/tax-rates",
)
"""Every list that comes in pages."""


def by(path: str) -> dict[str, str]:
    """Headers of somebody who may ask for it."""
    return as_("ada") if path.startswith(OF_ADMINS) else {}


CURSORS = ("x", "", "%00", "..%2F", "eyJhIjoxfQ", "A" * 400, "%F0%9F%98%80", "A" * 5001)
LIMITS = ("0", "-1", "1001", "ten", "1e3", "1.5", "NaN", "", "9" * 30, "0x10", "%00")


@pytest.mark.parametrize("route", WRITING, ids=lambda route: route.replace(NOBODY, "ID"))
async def test_no_body_however_bad_is_a_mistake_of_ours(client: AsyncClient, route: str) -> None:
    method, path = route.split()
    for name, content, headers, usual, named in BODIES:
        # OGC API Features says 400.
        status = 400 if usual == 422 and "/stac/" in path else usual
        answer = await client.request(method, path, content=content, headers={**headers, **by(path)})
        try:
            checked(answer, status, TOLD_BY.get(route, named) if named == "labl" else named)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


@pytest.mark.parametrize("rows", [FIELDS, PARAMETERS], ids=["fields", "parameters"])
async def test_every_bad_value_is_refused_by_the_name_of_its_field(client: AsyncClient, rows: list[Row]) -> None:
    for row in rows:
        answer = await client.request(row.method, row.path, json=row.json, content=row.content, headers=row.headers)
        try:
            checked(answer, row.status, row.field)
        except AssertionError as error:
            raise AssertionError(f"{row.name}: {error}") from error


@pytest.mark.parametrize("path", PAGED, ids=lambda path: path.replace(NOBODY, "ID"))
async def test_no_page_can_be_made_up(client: AsyncClient, path: str) -> None:
    client.headers.update(by(path))
    for cursor in CURSORS:
        checked(await client.get(f"{path}?cursor={cursor}"), 422, "cursor")
    for limit in LIMITS:
        checked(await client.get(f"{path}?limit={limit}"), 422, "limit")
    checked(await client.get(f"{path}?cursor=a&cursor=b"), 422, "cursor")
    checked(await client.get(f"{path}?page=2"), 422, "page")


@pytest.mark.parametrize(
    "value", ["bytes=9-1", "bytes=a-b", "lines=1-2", "bytes=", "bytes=-", "bytes=" + "0-1," * 5000, "\x7f", "bytes=٣-"]
)
async def test_a_bad_range_is_not_one(client: AsyncClient, value: str) -> None:
    headers = [(b"Range", value.encode())]
    answer = await client.get(f"/orders/{NOBODY}/files/1/content", headers=headers)
    checked(answer, 404, None)


def matched(templates: set[str], routes: Iterable[str]) -> bool:
    """Whether every template of a method and a path has its route, and every route its template."""
    looks = {re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))) for template in templates}
    whole = [
        route.replace(f" {PUBLIC_URL}", " ") if "://" in route else route.replace(" ", " /api/v1") for route in routes
    ]
    return all(any(map(look.fullmatch, whole)) for look in looks) and all(
        any(look.fullmatch(route) for look in looks) for route in whole
    )


async def test_every_route_with_a_body_is_in_the_table(app: FastAPI) -> None:
    described = app.openapi()["paths"]
    takes = {
        f"{method.upper()} {path}"
        for path, methods in described.items()
        for method, operation in methods.items()
        if "requestBody" in operation and "webhooks" not in path
    }
    assert matched(takes, WRITING), "a route that takes a body needs its row in WRITING"


async def test_every_list_in_pages_is_in_the_table(app: FastAPI) -> None:
    paged = {
        f"GET {path}"
        for path, methods in inlined(app.openapi())["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", ())
        if parameter["name"] == "cursor"
    }
    assert matched(paged, (f"GET {path}" for path in PAGED)), "a list in pages needs its row in PAGED"


async def test_no_route_takes_a_parameter_that_nobody_described(client: AsyncClient, app: FastAPI) -> None:
    for method, path in endpoints(app):
        if method != "GET" or not path.startswith("/api/v1/") or path.endswith("/{path}") or "/links/" in path:
            continue
        if path.endswith(("openapi.json", "/login", "/callback", "/me")):
            continue
        for name in ("order_id", "object_id", "token_id", "bulk_id"):
            path = path.replace(f"{{{name}}}", NOBODY)  # noqa: PLW2901
        for name in ("number", "seq", "file", "key", "sku"):
            path = path.replace(f"{{{name}}}", "1")  # noqa: PLW2901
        checked(await client.get(f"{PUBLIC_URL}{path}?nobody_described=1"), 422, "nobody_described")
