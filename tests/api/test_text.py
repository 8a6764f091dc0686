"""What people write over HTTP: tidied, compared in whatever case and Unicode form, refused with the true reason."""

from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient
from sqlmodel import col

from models.tables import Order
from tests.api.conftest import MakeProduct
from tests.factories import Sessions

JOINED = "می\u200cخواهم 👩\u200d👧 \U0001f8ff"
"""Persian and a family of emoji, with their joiners, and a code point that is not assigned yet."""

ITEMS = [{"product": "scenes", "objects": "all"}]


@pytest.fixture(autouse=True)
async def product(make_product: MakeProduct) -> None:
    await make_product()


async def place(client: AsyncClient, label: str) -> tuple[int, dict[str, Any]]:
    answer = await client.post("/orders", json={"items": ITEMS, "label": label, "draft": True})
    return answer.status_code, answer.json()


async def found(client: AsyncClient, **query: str) -> list[str]:
    return [item["label"] for item in (await client.get("/orders", params=query)).json()["items"]]


@pytest.mark.parametrize(
    ("written", "kept", "same", "word"),
    [
        ("  Gene\u0300ve\u00a0: 12\u202f000\u3000", "Genève\u00a0: 12\u202f000", "GENÈVE\u00a0: 12\u202f000",
         "gene\u0300ve"),
        ("Οδυσσεύς", "Οδυσσεύς", "ΟΔΥΣΣΕΎΣ", "οδυσσεύσ"),
        ("Straße", "Straße", "STRASSE ", "strasse"),
        (JOINED, JOINED, f"{JOINED} ", "👩\u200d👧"),
    ],
)  # fmt: skip
async def test_a_label_is_kept_tidy_is_unique_and_found_however_it_is_written(
    client: AsyncClient, sessions: Sessions, written: str, kept: str, same: str, word: str
) -> None:
    status, order = await place(client, written)
    assert (status, order.get("label")) == (201, kept), order
    assert await found(client, q=word) == await found(client, label=same) == [kept]
    status, taken = await place(client, same)
    assert (status, taken["code"]) == (409, "label_taken")
    (fault,) = (await client.post("/orders:estimate", json={"items": ITEMS, "label": same})).json()["faults"]
    assert fault["code"] == "label_taken"
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).where(col(Order.id) == order["id"]).values(status="deleted"))
    assert (await place(client, same))[0] == 201


async def test_a_refusal_of_text_names_the_character(client: AsyncClient) -> None:
    status, refused = await place(client, "in\u202egpj.exe")
    assert (status, refused["faults"][0]["code"]) == (422, "label_unreadable")
    reason = (
        "its character 3 is U+202E (RIGHT-TO-LEFT OVERRIDE), which changes the order in which text is read: remove it"
    )
    assert refused["faults"][0]["text"] == f"a label cannot be kept as it is: {reason}"
    for path, more in (("/views", {}), ("/tokens", {"scopes": ["read"]})):
        answer = await client.post(path, json={"name": "in\u202egpj.exe", **more})
        assert answer.status_code == 422
        assert reason in answer.json()["faults"][0]["text"]


async def test_names_of_views_are_unique_however_they_are_written(client: AsyncClient) -> None:
    first = await client.post("/views", json={"name": " Straße\u3000"})
    assert (first.status_code, first.json()["name"]) == (201, "Straße")
    assert (await client.post("/views", json={"name": "STRASSE"})).json()["code"] == "view_taken"


async def test_a_note_has_lines_of_one_kind(client: AsyncClient) -> None:
    _, order = await place(client, "One")
    note = await client.post(f"/orders/{order['id']}/notes", json={"text": "a\r\n\tb\u00a0c\r\n"})
    assert (note.status_code, note.json()["text"]) == (201, "a\n\tb\u00a0c")
