"""The contract: the committed document is the derived one, is whole, and is not broken unawares."""

import copy
import json
import re
from typing import Any

import jsonschema_rs
import orjson
import pytest

import models.errors
from api.contract.sharing import inlined
from docs.contract import DOCUMENT, as_text, changes, derived

Json = dict[str, Any]


@pytest.fixture(scope="module")
def shared() -> Json:
    return derived()


@pytest.fixture(scope="module")
def document(shared: Json) -> Json:
    """With everything where it belongs."""
    return inlined(shared)


def operations(document: Json) -> list[tuple[str, str, Json]]:
    return [(method, path, found) for path, methods in document["paths"].items() for method, found in methods.items()]


def test_the_committed_document_is_the_derived_one(shared: Json) -> None:
    committed = DOCUMENT.read_text(encoding="utf-8")
    told = "\n".join(map(str, changes(json.loads(committed), shared)))
    assert committed == as_text(shared), f"the API has changed; run `make openapi` and commit it.\n{told}"


def test_every_operation_tells_its_errors_with_codes_headers_and_examples(document: Json) -> None:
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            where = f"{method} {path} {status}"
            assert answer["description"] != "Successful Response", where
            assert answer["headers"]["X-Request-ID"]["required"], where
            for kind, content in answer.get("content", {}).items():
                assert (kind == "application/problem+json") == (int(status) >= 400), where
                if kind.endswith("json"):
                    assert content.get("examples") or "example" in content or content["schema"] == {"type": "object"}


def test_the_document_grows_with_its_operations_and_with_nothing_else(shared: Json) -> None:
    # What is said once for all of them, schemas and refusals, is counted in.
    assert len(orjson.dumps(shared)) < 3_500 * len(operations(shared))


def test_every_operation_has_a_sentence_a_described_tag_and_says_who_may(document: Json) -> None:
    described = [tag["name"] for tag in document["tags"]]
    used = [tag for _, _, operation in operations(document) for tag in operation["tags"]]
    assert (set(used), len(described)) == (set(described), len(set(used)))
    assert document["servers"]
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert re.fullmatch(r"[A-Z].*[.]", operation["summary"]), where
        assert operation["description"].startswith(operation["summary"]), where
        # None of these is asked who they are; all others say who by what they take.
        public = {"healthz", "readyz", "login", "callback", "logout", "webhooks", "oauth-protected-resource"}
        is_open = "links/{link}" in path or any(word in path for word in public)
        assert (operation["security"] == []) == is_open, where


WITHOUT_PAGES = {
    "/.well-known/oauth-protected-resource": "settings",
    "/api/v1/cart": "products, and two hundred selections",
    "/api/v1/me": "what one person may",
    "/api/v1/objects/{object_id}": "four numbers, kinds and tiers",
    "/api/v1/orders/{order_id}": "products, twenty tags, the first hundred faults and warnings",
    "/api/v1/orders/{order_id}/invoice": "a line for each product",
    "/api/v1/orders/{order_id}/notes/{note_id}": "a hundred wordings",
    "/api/v1/orders/{order_id}/stac": "a link to each archive",
    "/api/v1/orders/{order_id}/stac/items/{seq}": "four numbers, and links",
    "/api/v1/orders/{order_id}/stac/suborders/{number}": "links to the items of one archive",
    "/api/v1/prices/discounts/{discount_id}": "a thousand products and groups each",
    "/api/v1/quotas": "one of each kind",
    "/api/v1/stats": "statuses, and at most 366 days",
    "/api/v1/tokens/{token_id}": "scopes",
    "/api/v1/views/{view_id}": "columns",
    "/stac": "a link to each product",
    "/stac/collections/{collection_id}": "links",
    "/stac/collections/{collection_id}/items/{item_id}": "four numbers, and links",
    "/stac/conformance": "classes of conformance",
}
"""Documents that are no lists and hold some: of what."""


def test_every_list_comes_in_pages(document: Json) -> None:
    unpaged = set()
    for path, methods in document["paths"].items():
        get = methods.get("get", {"responses": {}})
        for content in get["responses"].get("200", {}).get("content", {}).values():
            schema = content.get("schema", {})
            named = schema.get("$ref", "").rpartition("/")[2]
            schema = document["components"]["schemas"][named] if named else schema
            lists = [part for part in (schema, *schema.get("properties", {}).values()) if part.get("type") == "array"]
            taken = {parameter["name"] for parameter in get.get("parameters", ())}
            if lists and not ("limit" in taken and taken & {"cursor", "token"}):
                unpaged.add(path)
    assert unpaged == set(WITHOUT_PAGES)


def test_answers_of_stac_are_typed(document: Json) -> None:
    for method, path, operation in operations(document):
        if "/stac" in path:
            (content,) = operation["responses"]["200"]["content"].values()
            assert content["schema"]["$ref"].startswith("#/components/schemas/Stac"), (method, path)


def test_every_example_is_as_its_schema_says(document: Json) -> None:
    validators: dict[str, jsonschema_rs.Validator] = {}
    for method, path, operation in operations(document):
        answers = list(operation["responses"].values())
        for holder in (*answers, operation.get("requestBody", {})):
            for kind, content in holder.get("content", {}).items():
                if not kind.endswith("json"):
                    continue
                kept = validators.get(key := json.dumps(content["schema"]))
                schema = {**content["schema"], "components": document["components"]}
                valid = validators[key] = kept or jsonschema_rs.validator_for(schema)
                named = [example["$ref"].rpartition("/")[2] for example in content.get("examples", {}).values()]
                shown = [document["components"]["examples"][name]["value"] for name in named]
                shown += [content["example"]] if "example" in content else []
                for example in shown:
                    assert valid.is_valid(example), (method, path, example)


def statuses(document: Json, method: str, path: str) -> set[str]:
    return set(document["paths"][f"/api/v1{path}"][method]["responses"])


def codes(document: Json, method: str, path: str, status: str) -> set[str]:
    content = document["paths"][f"/api/v1{path}"][method]["responses"][status]["content"]
    return set(content["application/problem+json"]["examples"])


def test_a_route_tells_what_it_declares_and_nothing_else(document: Json) -> None:
    assert statuses(document, "get", "/products") == {"200", "401", "403", "422", "429", "503"}
    assert statuses(document, "get", "/me") == {"200", "401", "403", "429", "503"}
    assert codes(document, "post", "/orders", "422") == {"idempotency_key_reused", "invalid_order", "invalid_request"}
    assert "label_taken" in codes(document, "post", "/orders", "409")
    commanded = codes(document, "post", "/orders/{order_id}/{verb}", "409")
    assert commanded == {"idempotency_key_in_flight", "illegal_transition"}
    assert codes(document, "get", "/orders/{order_id}/links", "410") == {"gone"}


def test_a_signed_link_asks_for_no_token(document: Json) -> None:
    for method, path, operation in operations(document):
        if "/links/" in path:
            assert "401" not in operation["responses"], (method, path)
            assert operation["security"] == [], (method, path)
    linked = "/links/{link}/orders/{order_id}/suborders/{number}/archive"
    assert codes(document, "get", linked, "403") == {"link_refused"}


def test_only_what_changes_something_can_be_cross_site_or_drained(document: Json) -> None:
    for method, path, operation in operations(document):
        told = json.dumps(operation["responses"])
        if method in {"get", "head"}:
            assert "CrossSiteProblem" not in told, path
            assert path == "/readyz" or "DrainingProblem" not in told, path
        else:
            assert "DrainingProblem" in told, path


def test_downloads_tell_their_headers(document: Json) -> None:
    answers = document["paths"]["/api/v1/orders/{order_id}/files/{file}/content"]["get"]["responses"]
    shown = {"ETag", "Accept-Ranges", "Content-Disposition", "Last-Modified", "Repr-Digest", "Link", "X-Request-ID"}
    assert shown <= set(answers["200"]["headers"])
    assert "Content-Range" in answers["206"]["headers"]
    assert "Retry-After" in answers["503"]["headers"]
    assert "WWW-Authenticate" in answers["401"]["headers"]


def test_every_refusal_stands_in_the_document(document: Json) -> None:
    told = json.dumps(document)
    # The one bears the code of a failure, the other is met by imports alone.
    unheard = {models.errors.FileFailed, models.errors.SourceUnreadable}
    for refusal in vars(models.errors).values():
        if hasattr(refusal, "http_status") and refusal not in unheard:
            assert f"urn:consignor:problem:{refusal.code}" in told, refusal


def without(document: Json, *path: str) -> Json:
    changed = copy.deepcopy(document)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    if isinstance(place, list):
        place.remove(path[-1])
    else:
        del place[path[-1]]
    return changed


SCHEMAS = ("components", "schemas")


def test_what_takes_something_from_clients_is_breaking(document: Json) -> None:
    for path, told in (
        (("paths", "/api/v1/stats"), "GET /api/v1/stats: is gone"),
        ((*SCHEMAS, "OrderPublic", "properties", "label"), "has no label any more"),
        ((*SCHEMAS, "OrderCreate", "properties", "draft"), "has no draft any more"),
        ((*SCHEMAS, "Scope", "enum", "operate"), "takes operate no more"),
    ):
        found = list(changes(document, without(document, *path)))
        assert any(change.breaking and told in str(change) for change in found), (path, found)


def test_what_gives_clients_more_is_not_breaking(document: Json) -> None:
    for path in (("paths", "/api/v1/stats"), (*SCHEMAS, "OrderPublic", "properties", "label")):
        found = list(changes(without(document, *path), document))
        assert found
        assert not any(change.breaking for change in found), found


def test_a_new_field_that_is_needed_is_breaking(document: Json) -> None:
    before = without(document, *SCHEMAS, "TokenCreate", "required", "name")
    assert [change.what for change in changes(before, document) if change.breaking] == ["body needs name now"]


def test_a_document_that_is_the_same_has_no_changes(document: Json) -> None:
    assert not list(changes(document, copy.deepcopy(document)))
