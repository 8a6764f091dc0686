"""Bodies that no route should see: each is refused with its place and its remedy, and none is a mistake of ours."""

import gzip
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from httpx2 import AsyncClient, Response

from api.dependencies import Services
from api.http.bodies import MAX_BODY_BYTES, MAX_DEPTH, MAX_LIST_BYTES, MAX_VALUES, check
from api.problems import RequestRefused
from tests.api.conftest import MakeProduct
from tests.factories import LOCAL_CALLER

JSON = {"Content-Type": "application/json"}
GOOD = b'{"items": [{"product": "scenes"}], "label": "One"}'
NOBODY = "00000000-0000-7000-8000-000000000000"


def told(answer: Response, status: int) -> set[tuple[str, str]]:
    """Fields and codes of a problem document that says what to do about each."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem = answer.json()
    assert problem["detail"]
    assert all(fault["text"] for fault in problem["faults"])
    return {(fault["field"], fault["code"]) for fault in problem["faults"]}


AMBIGUOUS = [
    (b'{"label": "a", "label": "b", "items": [{"product": "scenes"}]}', "label", "given_twice"),
    (b'{"items": [{"product": "scenes", "product": "maps"}]}', "items/0/product", "given_twice"),
    (b'{"a": 1, "a": 1, "\\u0061": 1}', "a", "given_twice"),
    (b'{"label": NaN}', "label", "not_a_number"),
    (b'{"items": [Infinity]}', "items/0", "not_a_number"),
    (b'{"items": [{"product": -Infinity}]}', "items/0/product", "not_a_number"),
    (b'{"label": 1e999}', "label", "number_too_large"),
    (b'{"label": -1e999}', "label", "number_too_large"),
    (b'{"label": 9223372036854775808}', "label", "number_too_large"),
    (b'{"label": -9223372036854775809}', "label", "number_too_large"),
    (b'{"label": ' + b"9" * 100_000 + b"}", "label", "number_too_large"),
    (b'{"label": "\\ud800"}', "label", "text_unreadable"),
    (b'{"label": "\\udfff\\ud800"}', "label", "text_unreadable"),
    (b'{"label": "a\\u0000b"}', "label", "text_unreadable"),
    (b'{"items": [{"product": "scenes", "objects": ["a", "\\u0000"]}]}', "items/0/objects/1", "text_unreadable"),
    (b'{"a\\u0000": 1}', "a\\0", "name_unreadable"),
    (b'{"a\\ud800": 1}', "a?", "name_unreadable"),
    (b'{"label": ' * 40 + b"1" + b"}" * 40, "label/label/label/label", "too_deep"),
    (b"[" * 33 + b"]" * 33, "0/0/0/0", "too_deep"),
    (b"[" * 100_000, "body", "too_deep"),
    (b'{"a":' * 100_000, "body", "too_deep"),
    (b"[" * 100_000 + b"]" * 100_000, "body", "too_deep"),
    (b"{", "body", "json_invalid"),
    (b'{"label": "a"} {}', "body", "json_invalid"),
    (b'{"label": "a",}', "body", "json_invalid"),
    (b"{'label': 'a'}", "body", "json_invalid"),
    (b'{"label": 01}', "body", "json_invalid"),
    (b'{"label": 0x10}', "body", "json_invalid"),
    (b'{"label": .5}', "body", "json_invalid"),
    (b'{"label": "a\nb"}', "body", "json_invalid"),
    (b'{"label": "\\x41"}', "body", "json_invalid"),
    (b'{"label": tru}', "body", "json_invalid"),
    (b'// no\n{"label": "a"}', "body", "json_invalid"),
    (b"\0", "body", "json_invalid"),
    (b" ", "body", "json_invalid"),
    (b"items=scenes", "body", "json_invalid"),
    (b"<order/>", "body", "json_invalid"),
    (b"\xef\xbb\xbf" + GOOD, "body", "json_invalid"),
    (b"\xff\xfe", "body", "not_utf8"),
    (b'{"label": "\xed\xa0\x80"}', "body", "not_utf8"),
    (b'{"label": "\xc0\xaf"}', "body", "not_utf8"),
    (GOOD.decode().encode("utf-16"), "body", "not_utf8"),
    (GOOD.decode().encode("utf-32-le"), "body", "json_invalid"),
]


@pytest.mark.parametrize(("content", "field", "code"), AMBIGUOUS, ids=range(len(AMBIGUOUS)))
async def test_json_that_can_be_read_in_two_ways_or_none_is_refused_by_its_place(
    client: AsyncClient, content: bytes, field: str, code: str
) -> None:
    answer = await client.post("/orders", content=content, headers=JSON)
    assert told(answer, 422) == {(field, code)}
    assert answer.json()["code"] == "invalid_request"
    assert (await client.get("/orders")).json()["items"] == []


async def test_everything_wrong_with_a_body_is_told_at_once(client: AsyncClient) -> None:
    content = b'{"items": [{"product": NaN, "objects": ["\\ud800"]}], "label": "\\u0000", "label": "b", "x": 1e999}'
    assert told(await client.post("/orders", content=content, headers=JSON), 422) == {
        ("items/0/product", "not_a_number"),
        ("items/0/objects/0", "text_unreadable"),
        ("label", "given_twice"),
        ("x", "number_too_large"),
    }
    many = await client.post("/orders", content=b"[" + b"NaN," * 5000 + b"1]", headers=JSON)
    assert (len(told(many, 422)), len(many.content) < 100_000) == (100, True)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate", "zstd", "gzip, identity", "x"])
async def test_a_compressed_body_is_415(client: AsyncClient, encoding: str) -> None:
    headers = {**JSON, "Content-Encoding": encoding}
    answer = await client.post("/orders", content=gzip.compress(GOOD), headers=headers)
    assert told(answer, 415) == {("Content-Encoding", "unsupported_encoding")}
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "json", "*/*",
     "application/jsonx", "application/octet-stream", "application/xml", ""],
)  # fmt: skip
async def test_a_body_that_does_not_say_it_is_json_is_415(client: AsyncClient, kind: str) -> None:
    answer = await client.post("/orders", content=GOOD, headers={"Content-Type": kind})
    assert told(answer, 415) == {("Content-Type", "unsupported_media_type")}


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
)
async def test_json_by_whatever_name_is_taken(client: AsyncClient, make_product: MakeProduct, kind: str) -> None:
    await make_product()
    headers = {"Content-Type": kind, "Content-Encoding": "identity"}
    assert (await client.post("/orders", content=GOOD, headers=headers)).status_code == 201


async def test_a_body_that_never_says_how_long_it_is_is_cut_off_where_it_is_too_large(client: AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1024**2

    answer = await client.post("/orders", content=endless(), headers=JSON)
    assert told(answer, 413) == {("body", "too_large")}
    assert (answer.headers["connection"], sent) == ("close", MAX_LIST_BYTES // 1024**2 + 1)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/orders"), ("POST", "/orders:bulk"), ("PATCH", f"/orders/{NOBODY}"), ("POST", "/destinations")],
)
async def test_nothing_of_a_body_is_read_before_its_sender_is_known(
    anonymous: AsyncClient, method: str, path: str
) -> None:
    async def unread() -> AsyncIterator[bytes]:
        yield pytest.fail("the body of nobody was read")

    for headers in ({}, {"Authorization": "Bearer cnsg_x"}):
        answer = await anonymous.request(method, path, content=unread(), headers={**JSON, **headers})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_body_has_room_for_what_it_may_list(client: AsyncClient) -> None:
    label = b'{"label": "' + b"a" * MAX_BODY_BYTES + b'"}'
    assert told(await client.patch(f"/orders/{NOBODY}", content=label, headers=JSON), 413)
    assert told(await client.post("/orders", content=label, headers=JSON), 422)


def test_values_are_counted_before_they_are_parsed() -> None:
    check(b"[" + b",".join([b"0"] * (MAX_VALUES - 1)) + b"]")
    for value in (b"0", b"[]", b"{}"):
        with pytest.raises(RequestRefused, match="values"):
            check(b"[" + b",".join([value] * (MAX_VALUES + 1)) + b"]")


@pytest.mark.parametrize("length", ["99999999999", "9" * 400, "-1", "x"])
async def test_a_length_that_cannot_be_is_413_before_anything_is_read(client: AsyncClient, length: str) -> None:
    answer = await client.post("/orders", content=GOOD, headers={**JSON, "Content-Length": length})
    assert told(answer, 413) == {("body", "too_large")}


def test_every_body_of_every_route_is_checked(app: FastAPI) -> None:
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    described = [route for route in routes if isinstance(route, APIRoute) and route.body_field]
    assert len(described) > 5
    assert all("GET" not in (route.methods or ()) for route in described)


@pytest.mark.parametrize(
    "path",
    ["/orders", "/orders.csv", "/tokens", "/destinations", f"/orders/{NOBODY}/restart", f"/orders/{NOBODY}/extend",
     f"/orders/{NOBODY}/pause"],
)  # fmt: skip
async def test_whoever_takes_a_body_is_as_strict(client: AsyncClient, path: str) -> None:
    for content, code in ((b'{"a": 1, "a": 2}', "given_twice"), (b'{"a": NaN}', "not_a_number")):
        assert told(await client.post(path, content=content, headers=JSON), 422) == {("a", code)}
    unknown = await client.post(path, json={"surprise": 1})
    assert unknown.status_code == 422
    assert any(fault["field"].endswith("surprise") or path == "/destinations" for fault in unknown.json()["faults"])
    assert told(await client.post(path, content=b"a=1", headers={"Content-Type": "text/plain"}), 415)


async def test_an_instant_is_text_and_no_number(client: AsyncClient) -> None:
    for value in (5, 1e9, True, None, ["2030-01-01T00:00:00Z"], "2030-01-01", "tomorrow", "2030-01-01T00:00:00"):
        answer = await client.post(f"/orders/{NOBODY}/extend", json={"expires_at": value})
        assert {field for field, _ in told(answer, 422)} == {"expires_at"}
    assert (
        await client.post(f"/orders/{NOBODY}/extend", json={"expires_at": "2030-01-01T00:00:00Z"})
    ).status_code == 404


def test_the_deepest_and_the_largest_that_can_be_meant_are_taken() -> None:
    check(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    check(b'{"n": [9223372036854775807, -9223372036854775808, 1e308, "\\ud83d\\ude00", "\xc3\xa9"]}')
    with pytest.raises(RequestRefused):
        check(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


async def _never_read() -> AsyncIterator[bytes]:
    pytest.fail("the body was read")
    yield b""


async def test_large_bodies_of_one_customer_wait_for_each_other_and_small_ones_for_none(
    client: AsyncClient, services: Services
) -> None:
    large = b'{"files": [' + b", ".join([b'"00000000-0000-7000-8000-000000000000"'] * 2_000) + b"]}"
    room = services.large_bodies
    with room.room(LOCAL_CALLER.customer), room.room(LOCAL_CALLER.customer):
        refused = await client.post("/orders", content=large, headers=JSON)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert refused.headers["retry-after"]
        assert "product" in (await client.post("/orders", content=GOOD, headers=JSON)).text
        # By now it is known who shows this token, and nothing of the body is read.
        declared = {**JSON, "Content-Length": str(len(large))}
        assert (await client.post("/orders", content=_never_read(), headers=declared)).status_code == 429
    with room.room("a"), room.room("b"), room.room("c"), room.room("d"):
        busy = await client.post("/orders", content=large, headers=JSON)
        assert (busy.status_code, busy.json()["code"]) == (503, "server_busy")
    # Whatever an answer says, it gives the room back, and it names a hundred faults at most.
    faults = (await client.post("/orders", content=large, headers=JSON)).json()["faults"]
    assert [fault["field"] for fault in faults] == [f"files/{index}" for index in range(100)]
    assert (await client.post("/orders", content=b"[" * 100_000, headers=JSON)).status_code == 422
    assert not room.active
