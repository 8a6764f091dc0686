"""Orders that cannot be: every fault is told at once, with its field, and nothing is written."""

from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from api.orders.schemas import MAX_SELECTED
from tests.api.conftest import MakeProduct
from tests.factories import Sessions, add_order

ITEMS = [{"product": "scenes"}]
NOBODY = "00000000-0000-7000-8000-000000000000"


def faults(answer: Response, status: int = 422) -> list[tuple[str, str]]:
    """Field and code of each fault of a problem document."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:consignor:problem:{problem['code']}"
    assert all(fault["text"] for fault in problem["faults"])
    return [(fault["field"], fault["code"]) for fault in problem["faults"]]


async def nothing_was_ordered(client: AsyncClient) -> bool:
    return bool((await client.get("/orders")).json()["items"] == [])


async def test_every_fault_of_an_order_is_told_at_once(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    lines = [
        {"product": "atlantis"},
        {"product": "scenes", "objects": ["winter", "autumn", NOBODY]},
        {"product": "eldorado", "objects": ["winter"]},
    ]
    answer = await client.post("/orders", json={"items": lines, "label": "\n"})
    assert faults(answer) == [
        ("items/0/product", "unknown_id"),
        ("items/1/objects/1", "unknown_id"),
        ("items/1/objects/2", "unknown_id"),
        ("items/2/product", "unknown_id"),
        ("label", "label_unreadable"),
    ]
    assert answer.json()["code"] == "invalid_order"
    assert await nothing_was_ordered(client)


async def test_every_unknown_file_is_told_with_its_place(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    answer = await client.post("/orders", json={"files": [NOBODY, "scenes", "winter"]})
    assert faults(answer) == [(f"files/{n}", "unknown_id") for n in range(3)]


async def test_of_very_many_faults_the_first_hundred_are_told(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    answer = await client.post("/orders", json={"files": [f"no-{n}" * 50 for n in range(5000)]})
    assert len(faults(answer)) == 100
    assert len(answer.content) < 100_000


async def test_an_object_of_another_product_is_unknown(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    await make_product("maps", {"a": {"a.pdf": b"x"}})
    answer = await client.post("/orders", json={"items": [{"product": "maps", "objects": ["winter"]}]})
    assert faults(answer) == [("items/0/objects/0", "unknown_id")]


@pytest.mark.parametrize(
    ("label", "code"),
    [("x" * 51, "label_too_long"), (" ", "label_unreadable"), ("", "label_unreadable"), ("a\x00", "text_unreadable")],
)
async def test_a_label_nobody_can_read_is_refused(
    client: AsyncClient, make_product: MakeProduct, label: str, code: str
) -> None:
    await make_product()
    assert faults(await client.post("/orders", json={"items": ITEMS, "label": label})) == [("label", code)]
    assert await nothing_was_ordered(client)


async def test_an_order_of_nothing_is_refused(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(files={})
    await make_product("hollow", {"empty": {}})
    for sku in ("scenes", "hollow"):
        answer = await client.post("/orders", json={"items": [{"product": sku}]})
        assert faults(answer) == [("items", "nothing_to_order")]
    assert await nothing_was_ordered(client)


async def test_prices_in_two_currencies_are_ordered_separately(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(price="1", currency="EUR")
    await make_product("maps", {"a": {"a.pdf": b"x"}}, price="1", currency="USD")
    answer = await client.post("/orders", json={"items": [*ITEMS, {"product": "maps"}]})
    assert faults(answer) == [("items", "mixed_currencies")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": ITEMS, "labl": "x"}, "labl"),
        ({"items": [{"product": "scenes", "objekts": "all"}]}, "items/0/objekts"),
        ({"items": ITEMS, "label": 7}, "label"),
        ({"items": [{"product": 7}]}, "items/0/product"),
        ({"items": [{"product": ""}]}, "items/0/product"),
        ({"items": [{"product": "x" * 1025}]}, "items/0/product"),
        ({"items": [{}]}, "items/0/product"),
        ({"items": {"product": "scenes"}}, "items"),
        ({"items": []}, "items"),
        ({"files": []}, "files"),
        ({"files": "all"}, "files"),
        ({"files": [1]}, "files/0"),
        ({"files": [None]}, "files/0"),
        ({}, "body"),
        ({"items": None}, "body"),
        ({"items": ITEMS, "files": [NOBODY]}, "body"),
        ([], "body"),
        ("scenes", "body"),
        (None, "body"),
    ],
)
async def test_a_body_is_strict_and_names_the_field(
    client: AsyncClient, make_product: MakeProduct, body: Any, field: str
) -> None:
    await make_product()
    found = faults(await client.post("/orders", json=body))
    assert [name for name, _ in found] == [field]
    assert await nothing_was_ordered(client)


@pytest.mark.parametrize("objects", ["some", [], 7, [""], {"winter": True}])
async def test_objects_are_all_or_a_list_of_names(client: AsyncClient, make_product: MakeProduct, objects: Any) -> None:
    await make_product()
    found = faults(await client.post("/orders", json={"items": [{"product": "scenes", "objects": objects}]}))
    assert {name.split("/")[2] for name, _ in found} == {"objects"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"label": NaN}', b"[" * 100_000, b'{"label": "\\ud800"', b"null", b'"\x00"']
)
async def test_what_is_no_json_is_refused(client: AsyncClient, content: bytes) -> None:
    answer = await client.post("/orders", content=content, headers={"Content-Type": "application/json"})
    assert faults(answer)[0][0] in {"body", "label"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_body_of_another_kind_is_refused(client: AsyncClient, make_product: MakeProduct, kind: str) -> None:
    await make_product()
    answer = await client.post("/orders", content=b'{"items": [{"product": "scenes"}]}', headers={"Content-Type": kind})
    assert faults(answer, 415) == [("Content-Type", "unsupported_media_type")]
    assert await nothing_was_ordered(client)


STRANGE = [
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "'; DROP TABLE orders; --",
    "%00",
    "../..",
    "\u202e",
    "9" * 1024,
    "é" * 600,
]


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
async def test_no_text_however_strange_is_a_mistake_of_ours(
    client: AsyncClient, make_product: MakeProduct, value: str
) -> None:
    await make_product()
    escaped = "".join(f"\\u{ord(char):04x}" for char in value)
    for body in (
        '{"items": [{"product": "%s"}]}',
        '{"items": [{"product": "scenes", "objects": ["%s"]}]}',
        '{"items": [{"product": "scenes"}], "%s": 1}',
        '{"files": ["%s"]}',
    ):
        text = body % escaped
        answer = await client.post("/orders", content=text, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (text, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
    answer = await client.post(
        "/orders", content=f'{{"items": [{{"product": "scenes"}}], "label": "{escaped}"}}',
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code in {201, 422}, answer.text


async def test_a_refused_order_uses_up_no_label(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await make_product("hollow", {"empty": {}})
    refused = await client.post("/orders", json={"items": [{"product": "hollow"}], "label": "Once"})
    assert refused.status_code == 422
    assert (await add_order(sessions, {"scenes": "all"}, label="Once")).label == "Once"


async def test_as_many_ids_as_one_order_may_have_are_looked_up_and_one_more_is_refused(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    # More than the 65,535 parameters that one statement may bind.
    await make_product()
    ids = [f"00000000-0000-7000-8000-{n:012x}" for n in range(MAX_SELECTED)]
    for body in ({"files": ids}, {"items": [{"product": "scenes", "objects": ids}]}):
        found = faults(await client.post("/orders", json=body))
        assert [code for _, code in found] == ["unknown_id"] * 100
    assert faults(await client.post("/orders", json={"files": [*ids, "x"]})) == [("files", "too_long")]
