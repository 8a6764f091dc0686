"""What people write on orders: labels and tags by If-Match, notes with their history and their readers."""

import asyncio
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient, Response

from models.annotations import MAX_NOTES
from models.tables import Order
from tests.api.conftest import MakeProduct
from tests.factories import LOCAL_CALLER, Sessions, add_order
from tests.issuer import as_

ME = LOCAL_CALLER.actor


@pytest.fixture
async def order(sessions: Sessions, make_product: MakeProduct) -> Order:
    """An order of mine."""
    await make_product()
    return await add_order(sessions, {"scenes": "all"}, label="First")


def refused(answer: Response, status: int) -> list[tuple[str, str]]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    return [(fault["field"], fault["code"]) for fault in answer.json().get("faults", [])]


async def test_label_and_tags_are_changed_and_what_is_left_out_stays(client: AsyncClient, order: Order) -> None:
    url = f"/orders/{order.id}"
    first = await client.patch(url, json={"label": "Second"})
    assert (first.status_code, first.json()["label"], first.json()["tags"]) == (200, "Second", [])
    second = await client.patch(url, json={"tags": ["urgent", "ice", "urgent"]})
    assert (second.json()["label"], second.json()["tags"]) == ("Second", ["urgent", "ice"])
    shown = await client.get(url)
    assert shown.json() == second.json()
    assert shown.headers["etag"] == second.headers["etag"] != first.headers["etag"]
    assert (await client.patch(url, json={"tags": []})).json()["tags"] == []
    (listed,) = (await client.get("/orders")).json()["items"]
    assert (listed["label"], listed["tags"]) == ("Second", [])


async def test_a_change_is_made_only_to_what_was_seen(client: AsyncClient, order: Order) -> None:
    url = f"/orders/{order.id}"
    seen = (await client.get(url)).headers["etag"]
    assert (await client.patch(url, json={"label": "Mine"}, headers={"If-Match": seen})).status_code == 200
    lost = await client.patch(url, json={"label": "Lost"}, headers={"If-Match": seen})
    refused(lost, 412)
    assert lost.json()["code"] == "precondition_failed"
    for wrong in ('"nonsense"', "", '"1.0"x', f"W/{seen}", '""', '"*"'):
        refused(await client.patch(url, json={"label": "Lost"}, headers={"If-Match": wrong}), 412)
    now = (await client.get(url)).headers["etag"]
    # A proxy that compresses answers makes one of these of it.
    compressed = (f"W/{now}", *(f'{now[:-1]}{coding}"' for coding in ("-gzip", "--gzip", ";br")))
    for good in (now, f'"other", {now}', "*", *compressed):
        assert (await client.patch(url, json={"label": "Mine"}, headers={"If-Match": good})).status_code == 200
    assert (await client.get(url)).json()["label"] == "Mine"


async def test_progress_alone_makes_no_change_a_mistake_and_what_has_happened_does(
    client: AsyncClient, sessions: Sessions, order: Order
) -> None:
    url = f"/orders/{order.id}"
    seen = (await client.get(url)).headers["etag"]
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE orders SET bytes_settled = 10"))
    assert (await client.get(url)).headers["etag"] != seen
    assert (await client.patch(url, json={"tags": ["a"]}, headers={"If-Match": seen})).status_code == 200
    seen = (await client.get(url)).headers["etag"]
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE orders SET version = version + 1"))
    refused(await client.patch(url, json={"tags": []}, headers={"If-Match": seen}), 412)


async def test_of_two_changes_of_the_same_state_one_is_made(client: AsyncClient, order: Order) -> None:
    url = f"/orders/{order.id}"
    headers = {"If-Match": (await client.get(url)).headers["etag"]}
    answers = await asyncio.gather(*(client.patch(url, json={"label": f"L{n}"}, headers=headers) for n in range(6)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 5}


async def test_an_order_is_deleted_only_as_it_was_seen(client: AsyncClient, order: Order) -> None:
    url = f"/orders/{order.id}"
    refused(await client.delete(url, headers={"If-Match": '"0.0-x"'}), 412)
    seen = (await client.get(url)).headers["etag"]
    # Temporal is away in these tests: whoever passes the condition hears that.
    refused(await client.delete(url, headers={"If-Match": seen}), 503)


@pytest.mark.parametrize(
    ("verb", "body", "otherwise"),
    [("pause", None, 503), ("retry", {}, 503), ("extend", {"expires_at": "2100-01-01T00:00:00Z"}, 503),
     ("restart", {}, 201)],
)  # fmt: skip
async def test_an_order_is_commanded_only_as_it_was_seen(
    client: AsyncClient, order: Order, verb: str, body: Any, otherwise: int
) -> None:
    url = f"/orders/{order.id}"
    seen = (await client.get(url)).headers["etag"]
    refused(await client.post(f"{url}/{verb}", json=body, headers={"If-Match": '"0.0-x"'}), 412)
    key = {"Idempotency-Key": "command"}
    # Temporal is away in these tests: a command that passes the condition hears that.
    refused_or_done = await client.post(f"{url}/{verb}", json=body, headers={"If-Match": seen, **key})
    assert refused_or_done.status_code == otherwise, refused_or_done.text
    await client.patch(url, json={"tags": ["changed"]})
    again = await client.post(f"{url}/{verb}", json=body, headers={"If-Match": seen, **key})
    assert again.status_code == (otherwise if otherwise == 201 else 412)


async def test_a_label_is_unique_also_among_changes_at_once(
    client: AsyncClient, sessions: Sessions, order: Order
) -> None:
    others = [await add_order(sessions, {"scenes": "all"}) for _ in range(4)]
    taken = await client.patch(f"/orders/{others[0].id}", json={"label": "First"})
    assert (refused(taken, 409), taken.json()["code"]) == ([], "label_taken")
    answers = await asyncio.gather(*(client.patch(f"/orders/{o.id}", json={"label": "Same"}) for o in others))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 3}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("body", "value_error")]),
        ({"label": None}, [("label", "string_type")]),
        ({"tags": None}, [("tags", "list_type")]),
        ({"tags": "urgent"}, [("tags", "list_type")]),
        ({"tags": [1]}, [("tags/0", "string_type")]),
        ({"status": "fulfilled"}, [("status", "extra_forbidden")]),
        ({"label": "x" * 51}, [("label", "label_too_long")]),
        ({"label": " ", "tags": ["", "a", " b\n", "x" * 51, "c\nd"]},
         [("label", "label_unreadable"), *((f"tags/{n}", "tag_unreadable") for n in (0, 3, 4))]),
        ({"tags": [str(n) for n in range(21)]}, [("tags", "too_many_tags")]),
    ],
)  # fmt: skip
async def test_a_change_that_cannot_be_is_refused_with_every_fault(
    client: AsyncClient, order: Order, body: Any, faults: list[tuple[str, str]]
) -> None:
    assert refused(await client.patch(f"/orders/{order.id}", json=body), 422) == faults
    assert (await client.get(f"/orders/{order.id}")).json()["label"] == "First"


async def test_orders_are_found_by_their_tags(client: AsyncClient, sessions: Sessions, order: Order) -> None:
    other, _ = [await add_order(sessions, {"scenes": "all"}) for _ in range(2)]
    await client.patch(f"/orders/{order.id}", json={"tags": ["urgent", "ice"]})
    await client.patch(f"/orders/{other.id}", json={"tags": ["urgent", "sea"]})

    async def found(query: str) -> set[str]:
        return {item["id"] for item in (await client.get(f"/orders?{query}")).json()["items"]}

    assert await found("tag=urgent") == {str(order.id), str(other.id)}
    assert await found("tag=ice") == {str(order.id)}
    assert await found("tag=ice&tag=sea") == {str(order.id), str(other.id)}
    assert await found("tag=%20Ice") == {str(order.id)}
    assert (await client.get("/orders?tag=urgent")).json()["total"] == 2
    assert (await client.get("/orders.csv?tag=ice")).text.count("\n") == 2


async def test_a_change_is_told_to_whoever_listens(client: AsyncClient, sessions: Sessions, order: Order) -> None:
    async with sessions.begin() as session:
        before = (await session.execute(sa.text("SELECT last_value FROM change_serial"))).scalar_one()
    await client.patch(f"/orders/{order.id}", json={"tags": ["urgent"]})
    await client.patch(f"/orders/{order.id}", json={"tags": ["urgent"]})
    async with sessions.begin() as session:
        assert (await session.execute(sa.text("SELECT last_value FROM change_serial"))).scalar_one() == before + 1


async def test_a_note_is_written_edited_with_its_history_and_deleted(client: AsyncClient, order: Order) -> None:
    url = f"/orders/{order.id}/notes"
    written = await client.post(url, json={"text": "Please hurry.\nThank you."})
    assert (written.status_code, written.json()["author"], written.json()["visibility"]) == (201, ME, "customer")
    note = written.headers["location"]
    assert (await client.get(note)).json() == {**written.json(), "history": []}
    for text in ("No hurry.", "No hurry.", "Never mind."):
        edited = (await client.patch(note, json={"text": text})).json()
    assert (edited["text"], edited["edited_at"] is None) == ("Never mind.", False)
    assert [row["text"] for row in edited["history"]] == ["Please hurry.\nThank you.", "No hurry."]
    assert edited["history"][0]["written_at"] == edited["written_at"] == written.json()["written_at"]
    (listed,) = (await client.get(url)).json()["items"]
    assert listed == {key: value for key, value in edited.items() if key != "history"}
    assert (await client.delete(note)).status_code == 204
    refused(await client.get(note), 404)
    refused(await client.delete(note), 404)
    assert (await client.get(url)).json() == {"items": [], "next_cursor": None}


async def test_what_operators_write_for_themselves_no_customer_reads(
    client: AsyncClient, anonymous: AsyncClient, order: Order
) -> None:
    url, sam = f"/orders/{order.id}/notes", as_("sam")
    secret = (await anonymous.post(url, json={"text": "Odd.", "visibility": "operators"}, headers=sam)).json()
    assert secret["author"].startswith("operator:")
    assert (await client.get(url)).json() == {"items": [], "next_cursor": None}
    refused(await client.get(f"{url}/{secret['id']}"), 404)
    refused(await client.patch(f"{url}/{secret['id']}", json={"text": "x"}), 404)
    assert len((await anonymous.get(url, headers=as_("ada"))).json()["items"]) == 1
    change = {"text": "All is well.", "visibility": "customer"}
    told = (await anonymous.patch(f"{url}/{secret['id']}", json=change, headers=sam)).json()
    assert [row["text"] for row in told["history"]] == ["Odd."]
    # It is the customer's to read from now on, and what it was before is not.
    assert (await client.get(f"{url}/{secret['id']}")).json()["history"] == []
    assert [note["text"] for note in (await client.get(url)).json()["items"]] == ["All is well."]


async def test_a_note_belongs_to_its_author(client: AsyncClient, anonymous: AsyncClient, order: Order) -> None:
    url = f"/orders/{order.id}/notes"
    note = f"{url}/{(await client.post(url, json={'text': 'Mine.'})).json()['id']}"
    for subject, edits, deletes in (("other", 404, 404), ("sam", 403, 403), ("ada", 403, 204)):
        refused(await anonymous.patch(note, json={"text": "Yours."}, headers=as_(subject)), edits)
        assert (await anonymous.delete(note, headers=as_(subject))).status_code == deletes
    refused(await client.post(url, json={"text": "x", "visibility": "operators"}), 403)
    refused(await anonymous.post(url, json={"text": "x"}, headers=as_("other")), 404)


async def test_a_note_is_created_once_for_one_key(client: AsyncClient, order: Order) -> None:
    url, headers = f"/orders/{order.id}/notes", {"Idempotency-Key": "k"}
    answers = [await client.post(url, json={"text": "Once."}, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len((await client.get(url)).json()["items"]) == 1


async def test_an_order_has_so_many_notes_and_no_more(client: AsyncClient, sessions: Sessions, order: Order) -> None:
    url = f"/orders/{order.id}/notes"
    fill = sa.text(
        "INSERT INTO notes (order_id, author, visibility, text, written_at)"
        " SELECT :order_id, 'customer:x', 'operators', 'x', now() FROM generate_series(1, :count)"
    )
    async with sessions.begin() as session:
        await session.execute(fill, {"order_id": order.id, "count": MAX_NOTES - 1})
    answers = await asyncio.gather(*(client.post(url, json={"text": "x"}) for _ in range(3)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 2}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"), ({"text": ""}, "text"), ({"text": " \n"}, "text"), ({"text": "a\x1bb"}, "text"),
        ({"text": "x" * 4001}, "text"), ({"text": "x" * 40_001}, "text"), ({"text": 1}, "text"),
        ({"text": "x", "visibility": "everybody"}, "visibility"), ({"text": "x", "visibility": 1}, "visibility"),
        ({"text": "x", "author": "me"}, "author"),
    ],
)  # fmt: skip
async def test_a_note_that_cannot_be_is_refused_by_its_field(
    client: AsyncClient, order: Order, body: Any, field: str
) -> None:
    url = f"/orders/{order.id}/notes"
    assert [name for name, _ in refused(await client.post(url, json=body), 422)] == [field]
    note = (await client.post(url, json={"text": "fine"})).json()
    assert [name for name, _ in refused(await client.patch(f"{url}/{note['id']}", json=body), 422)] == [field]
