"""Whoever walks the pages of a list gets all of it, a page at a time, and no page that nobody takes."""

import json
from itertools import islice

import httpx2 as httpx

from cli.api_client import Api
from cli.credentials import Credential

NAMES = ["a", "b", "c", "d", "e"]
AT_ONCE = 2


class Lister:
    """An API with one list of two names a page; it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked = list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        begin = int(request.url.params.get("cursor", 0))
        end = begin + AT_ONCE
        page = {"next_cursor": str(end) if end < len(NAMES) else None, "of": begin}
        return httpx.Response(200, json=page | {"items": NAMES[begin:end], "files": NAMES[begin:end]})

    def client(self) -> Api:
        return Api("http://api.test", Credential.fixed("token"), transport=httpx.MockTransport(self))


def test_the_items_of_all_pages_come_in_their_order_with_the_same_question() -> None:
    lister = Lister()
    with lister.client() as api:
        assert list(api.items("/list", scope="all", nothing=None)) == NAMES
    asked = [dict(request.url.params) for request in lister.asked]
    same = {"scope": "all", "limit": "1000"}
    assert asked == [same, same | {"cursor": "2"}, same | {"cursor": "4"}]


def test_a_page_that_nobody_takes_is_not_asked_for() -> None:
    lister = Lister()
    with lister.client() as api:
        assert list(islice(api.items("/list"), 3)) == NAMES[:3]
    assert len(lister.asked) == 2


def test_pages_may_be_asked_for_with_a_body() -> None:
    lister = Lister()
    with lister.client() as api:
        found = list(api.pages("/list", method="POST", body={"dry_run": True}))
    assert [page["of"] for page in found] == [0, 2, 4]
    assert {(request.method, json.loads(request.content)["dry_run"]) for request in lister.asked} == {("POST", True)}


def test_links_are_those_of_the_first_page_or_of_all() -> None:
    with Lister().client() as api:
        assert api.links("1", all_files=False)["files"] == NAMES[:AT_ONCE]
        found = api.links("1", all_files=True)
    assert (found["files"], found["of"]) == (NAMES, 0)
