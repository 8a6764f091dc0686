"""Roles × endpoints: what every route answers to everybody. A route that is missing here fails the build."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from httpx2 import AsyncClient

from api.dependencies import Services
from api.identity.secrets import hashed
from models.access import Caller
from models.links import API, LinkKeys, archive_path, file_path, metalink_path
from models.queries.users import upsert_user
from models.tables import (
    AccessToken,
    Bulk,
    CatalogueFile,
    Destination,
    DiscountTerms,
    ListPrice,
    Note,
    Order,
    SavedView,
    TaxRateRow,
    User,
)
from services.cart_adding import CartFiller
from tests.api.conftest import LINK_KEY, PUBLIC_URL, MakeProduct
from tests.factories import LOCAL_CALLER, Sessions, add_order, make_ready
from tests.issuer import Issuer

OWNER = replace(LOCAL_CALLER, groups=frozenset({"partners"}))
WHO = ("anonymous", "other", "owner", "support", "admin")
SUBJECTS = {"other": "other", "owner": "local", "support": "sam", "admin": "ada"}


@dataclass(frozen=True)
class Row:
    """A request, and its answer to anonymous, another customer, the owner, support and admin."""

    method: str
    path: str
    statuses: tuple[int, int, int, int, int]
    json: Any = None
    fill: str | None = None
    """The path as it is asked for, where that is not the route's with the ids put in."""

    def answer_to(self, who: str) -> int:
        """The status of the answer to somebody."""
        return self.statuses[WHO.index(who)]


def everybody(status: int) -> tuple[int, int, int, int, int]:
    """A public route."""
    return (status,) * 5


OWN = (401, 404, 200, 200, 200)
MINE = (401, 404, 200, 404, 404)
SIGNED_IN = (401, 200, 200, 200, 200)
STAFF = (401, 403, 403, 200, 200)
ADMIN = (401, 403, 403, 403, 200)


def downloads(path: str, statuses: tuple[int, int, int, int, int]) -> Iterator[Row]:
    """What can be asked for by GET and HEAD."""
    for method in ("GET", "HEAD"):
        yield Row(method, f"{API}/{path}", statuses)


def linked(path: str, link: str) -> Iterator[Row]:
    """What a signed link opens to whoever has it."""
    for method in ("GET", "HEAD"):
        yield Row(method, f"{API}/links/{{link}}/{path}", everybody(200), fill=f"{API}/links/{{{link}_link}}/{path}")


# Temporal is away in these tests: who may command hears that.
COMMAND = (401, 404, 503, 403, 503)

MATRIX = (
    Row("GET", "/", everybody(303)),
    Row("GET", "/healthz", everybody(200)),
    Row("GET", "/readyz", everybody(200)),
    Row("GET", f"{API}/openapi.json", everybody(200)),
    Row("GET", "/docs", everybody(200)),
    Row("GET", "/docs/{name}", everybody(200), fill="/docs/swagger-ui.css"),
    Row("GET", f"{API}/{{path}}", everybody(404), fill=f"{API}/nothing"),
    Row("GET", "/.well-known/oauth-protected-resource", everybody(200)),
    Row("GET", f"{API}/login", everybody(303)),
    Row("GET", f"{API}/callback", everybody(401)),
    Row("POST", f"{API}/logout", everybody(204)),
    Row("GET", f"{API}/me", SIGNED_IN),
    Row("POST", f"{API}/tokens", (401, 201, 201, 201, 201), {"name": "nightly", "scopes": ["read"]}),
    Row("GET", f"{API}/tokens", SIGNED_IN),
    Row("GET", f"{API}/tokens/{{token_id}}", (401, 404, 200, 404, 200)),
    Row("DELETE", f"{API}/tokens/{{token_id}}", (401, 404, 204, 404, 204)),
    Row("POST", f"{API}/users/{{customer}}:sign-out", (401, 403, 200, 403, 200)),
    Row("GET", f"{API}/products", SIGNED_IN),
    Row("GET", f"{API}/products/{{sku}}", OWN),
    Row("PATCH", f"{API}/products/{{sku}}", (401, 403, 403, 403, 200), {"unit_price": "1.50"}),
    Row("GET", f"{API}/products/{{sku}}/changes", (401, 403, 403, 403, 200)),
    Row("GET", f"{API}/products/{{sku}}/objects", OWN),
    Row("GET", f"{API}/objects", SIGNED_IN),
    Row("POST", f"{API}/objects:search", SIGNED_IN, {"facets": ["product"]}),
    Row("GET", f"{API}/objects/{{object_id}}", OWN),
    Row("GET", f"{API}/objects/{{object_id}}/files", OWN),
    Row("POST", f"{API}/orders", (401, 422, 201, 403, 201), {"items": [{"product": "scenes"}]}),
    Row("POST", f"{API}/orders:estimate", SIGNED_IN, {"items": [{"product": "scenes"}]}),
    Row("GET", f"{API}/quotas", SIGNED_IN),
    Row("GET", f"{API}/cart", SIGNED_IN),
    Row("GET", f"{API}/cart/objects", SIGNED_IN),
    Row("POST", f"{API}/cart/selections", (401, 422, 201, 403, 201), {"product": "scenes"}),
    Row("DELETE", f"{API}/cart/selections/{{number}}", (401, 404, 200, 403, 404)),
    Row("DELETE", f"{API}/cart/products/{{sku}}", (401, 404, 200, 403, 404)),
    Row("POST", f"{API}/cart:estimate", SIGNED_IN),
    Row("POST", f"{API}/cart:order", (401, 409, 201, 403, 409), {"version": 1}),
    Row("DELETE", f"{API}/cart", (401, 200, 200, 403, 200)),
    Row("GET", f"{API}/settings", SIGNED_IN),
    Row("PATCH", f"{API}/settings", (401, 403, 403, 403, 200), {"max_pause": "P7D"}),
    Row("GET", f"{API}/settings/changes", (401, 403, 403, 403, 200)),
    Row("GET", f"{API}/views", SIGNED_IN),
    Row("POST", f"{API}/views", (401, 201, 201, 201, 201), {"name": "Failed", "filter": {"status": ["failed"]}}),
    Row("GET", f"{API}/views/{{view_id}}", MINE),
    Row("PATCH", f"{API}/views/{{view_id}}", MINE, {"columns": ["number"]}),
    Row("DELETE", f"{API}/views/{{view_id}}", (401, 404, 204, 404, 404)),
    Row("GET", f"{API}/orders", SIGNED_IN),
    Row("GET", f"{API}/orders/{{order_id}}", OWN),
    Row("PATCH", f"{API}/orders/{{order_id}}", (401, 404, 200, 403, 200), {"tags": ["urgent"]}),
    Row("GET", f"{API}/orders/{{order_id}}/notes", OWN),
    Row("POST", f"{API}/orders/{{order_id}}/notes", (401, 404, 201, 201, 201), {"text": "Look at this."}),
    Row("GET", f"{API}/orders/{{order_id}}/notes/{{note_id}}", OWN),
    Row("PATCH", f"{API}/orders/{{order_id}}/notes/{{note_id}}", (401, 404, 200, 403, 403), {"text": "Better."}),
    Row("DELETE", f"{API}/orders/{{order_id}}/notes/{{note_id}}", (401, 404, 204, 403, 204)),
    Row("GET", f"{API}/orders/{{order_id}}/suborders", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/files", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/timeline", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/invoice", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/suborders/{{number}}/archive", OWN),
    Row("HEAD", f"{API}/orders/{{order_id}}/suborders/{{number}}/archive", OWN),
    Row("GET", f"{API}/orders.csv", SIGNED_IN),
    Row("POST", f"{API}/orders.csv", SIGNED_IN, {"ids": ["00000000-0000-7000-8000-000000000000"]}),
    Row("GET", f"{API}/orders.jsonl", SIGNED_IN),
    Row("GET", f"{API}/orders/{{order_id}}.csv", OWN),
    # A stream of events never ends: what is asked for is refused to those who may ask.
    Row("GET", f"{API}/events", (401, 422, 422, 422, 422), fill=f"{API}/events?status=nonsense"),
    Row("GET", f"{API}/stats", SIGNED_IN),
    Row("GET", f"{API}/destinations", SIGNED_IN),
    Row("POST", f"{API}/destinations", (401, 422, 422, 403, 422), {"kind": "local", "name": "a", "folder": "/nowhere"}),
    Row("GET", f"{API}/destinations/{{key}}", MINE),
    Row("POST", f"{API}/destinations/{{key}}/test", (401, 404, 200, 403, 404)),
    Row("DELETE", f"{API}/destinations/{{key}}", (401, 404, 204, 403, 404)),
    Row("GET", f"{API}/orders/{{order_id}}/deliveries", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/stac", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/stac/suborders/{{number}}", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/stac/items", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/stac/items/{{seq}}", OWN),
    Row("GET", f"{API}/orders/{{order_id}}/links", OWN),
    Row("POST", f"{API}/orders/{{order_id}}/links:revoke", (401, 404, 204, 403, 204)),
    Row("GET", f"{API}/orders/{{order_id}}/folders", OWN),
    Row("POST", f"{API}/orders/{{order_id}}/suborders/{{number}}/acknowledge", (401, 404, 200, 403, 200)),
    *downloads("orders/{order_id}/files/{file}/content", OWN),
    *downloads("orders/{order_id}/metalink", OWN),
    *downloads("orders/{order_id}/.metalink", OWN),
    *linked("orders/{order_id}/suborders/{number}/archive", "archive"),
    *linked("orders/{order_id}/files/{seq}/content", "file"),
    *linked("orders/{order_id}/{which}", "metalink"),
    Row("POST", f"{API}/orders/{{order_id}}/add-to-cart", (401, 404, 201, 403, 201)),
    Row("POST", f"{API}/orders/{{order_id}}/restart", (401, 404, 201, 403, 201)),
    Row("POST", f"{API}/orders/{{order_id}}/extend", COMMAND, {"expires_at": "2030-01-01T00:00:00Z"}),
    Row("POST", f"{API}/orders/{{order_id}}/{{verb}}", COMMAND),
    Row("DELETE", f"{API}/orders/{{order_id}}", COMMAND),
    Row("POST", f"{API}/orders:bulk", (401, 202, 202, 403, 202), {"action": "cancel", "filter": {"q": "scenes"}}),
    Row("GET", f"{API}/bulks", SIGNED_IN),
    Row("GET", f"{API}/bulks/{{bulk_id}}", OWN),
    Row("GET", f"{API}/bulks/{{bulk_id}}/orders", OWN),
    Row("POST", f"{API}/bulks/{{bulk_id}}/cancel", (401, 404, 200, 403, 200)),
    Row("GET", f"{API}/prices/lists", STAFF),
    Row("PUT", f"{API}/prices/lists/{{group}}/{{sku}}", ADMIN, {"unit_price": "1.50"}),
    Row("DELETE", f"{API}/prices/lists/{{group}}/{{sku}}", (401, 403, 403, 403, 204)),
    Row("GET", f"{API}/prices/discounts", STAFF),
    Row("POST", f"{API}/prices/discounts", (401, 403, 403, 403, 201), {"name": "Sale", "percent": "10"}),
    Row("GET", f"{API}/prices/discounts/{{discount_id}}", STAFF),
    Row("PUT", f"{API}/prices/discounts/{{discount_id}}", ADMIN, {"name": "Sale", "percent": "10"}),
    Row("DELETE", f"{API}/prices/discounts/{{discount_id}}", (401, 403, 403, 403, 204)),
    Row("GET", f"{API}/prices/tax-rates", STAFF),
    Row("PUT", f"{API}/prices/tax-rates/{{country}}/{{tax_class}}", ADMIN, {"percent": "20", "name": "TVA"}),
    Row("DELETE", f"{API}/prices/tax-rates/{{country}}/{{tax_class}}", (401, 403, 403, 403, 204)),
    Row("GET", f"{API}/prices/terms", STAFF),
    Row("PUT", f"{API}/prices/terms", ADMIN, {"tax_included": True, "country": "FR"}),
    Row("POST", f"{API}/webhooks/payments", everybody(404)),
    Row("GET", "/stac", SIGNED_IN),
    Row("GET", "/stac/conformance", SIGNED_IN),
    Row("GET", "/stac/collections", SIGNED_IN),
    Row("GET", "/stac/collections/{collection_id}", OWN),
    Row("GET", "/stac/collections/{collection_id}/items", OWN),
    Row(
        "GET",
        "/stac/collections/{collection_id}/items/{item_id}",
        OWN,
        fill="/stac/collections/{sku}/items/winter",
    ),
    Row("GET", "/stac/search", SIGNED_IN),
    Row("POST", "/stac/search", SIGNED_IN, {}),
)

# A provider signs its messages; these headers are there and the signature is wrong.
WEBHOOK = {"webhook-id": "m1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}


@dataclass(frozen=True)
class Things:
    """What is asked for; all of it is the owner's."""

    ids: dict[str, str]

    def path(self, row: Row) -> str:
        path = row.fill or row.path
        for name, value in self.ids.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, path
        return path


@pytest.fixture
async def things(sessions: Sessions, make_product: MakeProduct, app: FastAPI) -> Things:
    """A closed product, an order of it that can be downloaded, and an access token."""
    product = await make_product(groups=["partners"])
    services: Services = app.state.services
    now = services.now()
    owner = User(id=OWNER.customer, issuer="i", subject="s", roles=["customer"], groups=["partners"], asserted_at=now)
    async with sessions.begin() as session:
        await session.execute(upsert_user(owner))
    order = await add_order(sessions, {"scenes": "all"}, caller=OWNER)
    await make_ready(sessions, order)
    token = AccessToken(
        customer=OWNER.customer,
        name="nightly",
        secret_hash=hashed("secret"),
        scopes=["read"],
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    async with sessions.begin() as session:
        note = Note(order_id=order.id, author=OWNER.actor, visibility="customer", text="Hm.", written_at=now)
        view = SavedView(owner=OWNER.customer, name="Mine", sort="-created_at", created_at=now)
        price = ListPrice(group_name="labs", sku="scenes", unit_price=Decimal(1), currency="EUR", price_unit="object")
        discount = DiscountTerms(name="Sale", percent=Decimal(5))
        rate = TaxRateRow(country="FR", tax_class="standard", percent=Decimal(20), name="TVA")
        session.add_all([token, note, view, discount, rate, price])
        await session.flush()
        await session.refresh(token)
        obj = (await session.execute(CatalogueFile.__table__.select())).first()  # type: ignore[attr-defined]
        session.add(Destination(customer=OWNER.customer, name="exports", kind="local", folder="/nowhere"))
        bulk = Bulk(customer=OWNER.customer, actor=OWNER.actor, command="cancel")
        session.add(bulk)
        await session.flush()
    assert obj is not None
    async with sessions.begin() as session:
        await CartFiller(session, OWNER, services.sources, now).add_product(product.sku)
    keys = LinkKeys([LINK_KEY])
    paths = {
        "archive": archive_path(order.id, 1),
        "file": file_path(order.id, 1),
        "metalink": metalink_path(order.id),
    }
    return Things(
        {
            "customer": OWNER.customer,
            "order_id": str(order.id),
            "number": "1",
            "sku": product.sku,
            "collection_id": product.sku,
            "bulk_id": str(bulk.id),
            "object_id": str(obj.object_id),
            "token_id": str(token.id),
            "note_id": str(note.id),
            "view_id": str(view.id),
            "verb": "cancel",
            "discount_id": str(discount.id),
            "group": "labs",
            "country": "FR",
            "tax_class": "standard",
            "seq": "1",
            "file": "1",
            "key": "exports",
            "which": "metalink",
            **{f"{name}_link": keys.sign(path) for name, path in paths.items()},
        }
    )


def token_of(issuer: Issuer, who: str) -> str:
    """Somebody's token, with the groups that they always have: what a token says of its owner is what counts then."""
    return issuer.token(SUBJECTS[who], groups=["partners"] if who == "owner" else [])


def endpoints(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path of an application; a mount has no methods and is told all the same."""
    for route in iter_route_contexts(app.routes):
        ours = isinstance(route.original_route, APIRoute)
        for method in sorted(route.methods or {"ANY"}):
            # Starlette adds HEAD to the GET of its own pages, such as /docs; of ours those that measure say it.
            if ours or method != "HEAD":
                yield method, str(route.path_format)


def test_every_route_is_in_the_matrix_and_nothing_else(app: FastAPI) -> None:
    there = set(endpoints(app))
    listed = {(row.method, row.path) for row in MATRIX}
    assert there == listed, "a route needs its row: what does it answer to whom?"


def requests() -> Iterator[Any]:
    """Every row with who asks: one after the other where that changes nothing, on their own where it does."""
    for row in MATRIX:
        changes = [who for who in WHO if row.method not in {"GET", "HEAD"} and row.answer_to(who) < 400]
        for people in [tuple(who for who in WHO if who not in changes), *((who,) for who in changes)]:
            if people:
                yield pytest.param(row, people, id=f"{row.method} {row.path} {' '.join(people)}")


@pytest.mark.parametrize(("row", "people"), [*requests()])
async def test_a_route_answers_each_as_the_matrix_says(
    anonymous: AsyncClient, issuer: Issuer, things: Things, row: Row, people: tuple[str, ...]
) -> None:
    answers = {}
    for who in people:
        headers = dict(WEBHOOK) if "webhooks" in row.path else {}
        if who != "anonymous":
            headers["Authorization"] = f"Bearer {token_of(issuer, who)}"
        answers[who] = await anonymous.request(
            row.method, PUBLIC_URL + things.path(row), headers=headers, json=row.json
        )
    assert {who: answer.status_code for who, answer in answers.items()} == {who: row.answer_to(who) for who in people}
    for answer in answers.values():
        if answer.status_code >= 400 and row.method != "HEAD":
            assert answer.headers["content-type"] == "application/problem+json"
        assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)


# What takes no access token, or is nothing but reading although it is no GET.
CLOSED_TO_WRITERS = frozenset(
    {
        *(("POST", f"{API}/tokens"), ("DELETE", f"{API}/tokens/{{token_id}}")),
        *(("POST", f"{API}/users/{{customer}}:sign-out"), ("POST", f"{API}/destinations/{{key}}/test")),
        *(("POST", f"{API}/orders:estimate"), ("POST", f"{API}/cart:estimate"), ("POST", f"{API}/cart:order")),
        *(("POST", f"{API}/orders.csv"), ("POST", "/stac/search")),
        ("POST", f"{API}/objects:search"),
    }
)


async def test_a_token_that_may_not_read_is_shown_nothing(
    anonymous: AsyncClient, issuer: Issuer, things: Things
) -> None:
    owner = {"Authorization": f"Bearer {token_of(issuer, 'owner')}"}
    made = await anonymous.post("/tokens", json={"name": "write", "scopes": ["order", "operate"]}, headers=owner)
    writer = {"Authorization": f"Bearer {made.json()['token']}"}
    for row in (row for row in MATRIX if row.answer_to("anonymous") == 401 and row.path != f"{API}/callback"):
        answer = await anonymous.request(row.method, PUBLIC_URL + things.path(row), headers=writer, json=row.json)
        if row.method in {"GET", "HEAD"} or (row.method, row.path) in CLOSED_TO_WRITERS:
            assert answer.status_code == 403, f"{row.method} {row.path}"
        elif row.answer_to("owner") < 300:
            assert (answer.status_code, answer.content) == (204, b""), f"{row.method} {row.path}"
            assert set(answer.headers).isdisjoint({"etag", "content-type", "content-length", "link"})
            assert row.answer_to("owner") != 201 or answer.headers["location"].startswith(PUBLIC_URL)
        else:
            assert answer.status_code == row.answer_to("owner")
    guess = {"action": "pause", "filter": {}, "expected": 99_999}
    counted = (await anonymous.post("/orders:bulk", json=guess, headers=writer)).json()
    assert (counted["code"], counted["expected"]) == ("selection_changed", 99_999)
    assert "found" not in counted
    assert "there are others" in counted["detail"]


async def test_an_answer_that_is_sent_again_shows_nothing_either(
    anonymous: AsyncClient, issuer: Issuer, make_product: MakeProduct
) -> None:
    await make_product()
    owner = {"Authorization": f"Bearer {issuer.token('local')}", "Idempotency-Key": "k"}
    order = {"items": [{"product": "scenes"}]}
    first = await anonymous.post("/orders", json=order, headers=owner)
    body = {"name": "write", "scopes": ["order"]}
    made = await anonymous.post("/tokens", json=body, headers=owner | {"Idempotency-Key": "t"})
    writer = owner | {"Authorization": f"Bearer {made.json()['token']}"}
    again = await anonymous.post("/orders", json=order, headers=writer)
    assert (first.status_code, again.status_code, again.content) == (201, 204, b"")
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_only_an_administrator_confirms_a_payment(anonymous: AsyncClient, issuer: Issuer, things: Things) -> None:
    url = f"/orders/{things.ids['order_id']}/confirm-payment"
    codes = {}
    for who in SUBJECTS:
        headers = {"Authorization": f"Bearer {token_of(issuer, who)}"}
        codes[who] = (await anonymous.post(url, headers=headers)).status_code
    assert codes == {"other": 404, "owner": 403, "support": 403, "admin": 503}


async def test_lists_show_operators_everything_and_customers_their_own(
    anonymous: AsyncClient, issuer: Issuer, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    mine = await add_order(sessions, {"scenes": "all"})
    theirs = await add_order(sessions, {"scenes": "all"}, caller=Caller("somebody"))

    async def listed(subject: str, **params: str) -> set[str]:
        headers = {"Authorization": f"Bearer {issuer.token(subject)}"}
        answer = await anonymous.get("/orders", params=params, headers=headers)
        return {order["number"] for order in answer.json()["items"]}

    assert await listed("local") == {mine.number}
    assert await listed("sam") == await listed("ada") == {mine.number, theirs.number}
    assert await listed("sam", customer="somebody") == {theirs.number}
    assert await listed("local", customer="somebody") == set()


async def test_what_an_operator_restarts_stays_its_customers(
    anonymous: AsyncClient, issuer: Issuer, sessions: Sessions, things: Things
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token('ada')}"}
    answer = await anonymous.post(f"/orders/{things.ids['order_id']}/restart", headers=headers)
    assert answer.status_code == 201, answer.text
    async with sessions.begin() as session:
        again = await session.get_one(Order, answer.json()["id"])
    assert again.customer == OWNER.customer
    (row,) = (await anonymous.get(f"/orders/{again.id}/timeline", headers=headers)).json()["items"]
    assert row["actor"].startswith("operator:")
