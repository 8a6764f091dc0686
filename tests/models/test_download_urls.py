"""URLs of downloads with the names of their files."""

import pytest

from models.download_urls import named, unnamed

ORDER = "/api/v1/orders/01"


@pytest.mark.parametrize("root", [ORDER, "/api/v1/links/abc.d-e_f/orders/01"])
@pytest.mark.parametrize("resource", ["suborders/1/archive", "files/7/content", "metalink", ".metalink"])
@pytest.mark.parametrize("name", ["a.zip", "été 50 %.tif", ".zgroup", "a?b#c;d+e", "1", "name"])
def test_a_name_is_put_behind_and_taken_away(root: str, resource: str, name: str) -> None:
    path = f"{root}/{resource}"
    assert unnamed(named(path, name)) == (path, None)
    assert unnamed(path) is None


def test_a_part_of_a_metalink_stands_before_its_name() -> None:
    assert named(f"{ORDER}/metalink", "CO-1-2.meta4", 2) == f"{ORDER}/metalink/2/CO-1-2.meta4"
    assert unnamed(f"{ORDER}/metalink/2/CO-1-2.meta4") == (f"{ORDER}/metalink", 2)
    assert unnamed(f"{ORDER}/.metalink/2/CO-1-2.metalink") == (f"{ORDER}/.metalink", 2)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/orders",
        f"{ORDER}/links",
        f"{ORDER}/files/7/content/1/name",
        f"{ORDER}/suborders/1/archive/2/name",
        f"{ORDER}/metalink/2/3/name",
        f"{ORDER}/notes/metalink/name",
        "/stac/collections/orders/items/metalink",
    ],
)
def test_no_other_path_is_changed(path: str) -> None:
    assert unnamed(path) is None
