"""Cutting orders into sub-orders, whatever they consist of."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.splitting import Limits, ObjectWeight, Part, split

WEIGHTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]), st.sampled_from(["online", "nearline"]), st.integers(1, 8), st.integers(0, 9)
    ),
    max_size=60,
).map(lambda rows: [ObjectWeight(key, *row) for key, row in enumerate(rows)])
LIMITS = st.builds(Limits, max_files=st.integers(1, 12), max_bytes=st.integers(1, 20))


def _members(part: Part, objects: list[ObjectWeight]) -> list[ObjectWeight]:
    by_key = {obj.key: obj for obj in objects}
    return [by_key[key] for key in part.keys]


def _fits(objects: list[ObjectWeight], limits: Limits) -> bool:
    return sum(o.files for o in objects) <= limits.max_files and sum(o.bytes for o in objects) <= limits.max_bytes


@given(WEIGHTS, LIMITS)
def test_every_object_is_in_exactly_one_part(objects: list[ObjectWeight], limits: Limits) -> None:
    counts = Counter(key for part in split(objects, limits) for key in part.keys)
    assert counts == Counter(obj.key for obj in objects)


@given(WEIGHTS, LIMITS)
def test_a_part_holds_one_product_of_one_tier_and_weighs_what_is_in_it(
    objects: list[ObjectWeight], limits: Limits
) -> None:
    for part in split(objects, limits):
        members = _members(part, objects)
        assert {(obj.product, obj.tier) for obj in members} == {(part.product, part.tier)}
        assert (part.files, part.bytes) == (sum(o.files for o in members), sum(o.bytes for o in members))


@given(WEIGHTS, LIMITS)
def test_a_part_keeps_the_limits_unless_one_object_alone_exceeds_them(
    objects: list[ObjectWeight], limits: Limits
) -> None:
    for part in split(objects, limits):
        members = _members(part, objects)
        assert len(members) == 1 or _fits(members, limits)


@given(WEIGHTS, LIMITS)
def test_a_part_closes_only_before_the_object_that_would_take_it_over(
    objects: list[ObjectWeight], limits: Limits
) -> None:
    parts = split(objects, limits)
    for lane in {(obj.product, obj.tier) for obj in objects}:
        mine = [_members(part, objects) for part in parts if (part.product, part.tier) == lane]
        mine.sort(key=lambda members: objects.index(members[0]))
        assert [obj for part in mine for obj in part] == [o for o in objects if (o.product, o.tier) == lane]
        for closed, following in pairwise(mine):
            assert not _fits([*closed, following[0]], limits)


@given(WEIGHTS, LIMITS)
def test_smaller_parts_come_first(objects: list[ObjectWeight], limits: Limits) -> None:
    sizes = [(part.bytes, part.files) for part in split(objects, limits)]
    assert sizes == sorted(sizes)


@given(WEIGHTS, LIMITS)
def test_the_same_objects_give_the_same_parts(objects: list[ObjectWeight], limits: Limits) -> None:
    assert split(objects, limits) == split(iter(objects), limits)


def test_products_that_alternate_share_no_part_and_fill_theirs() -> None:
    objects = [ObjectWeight(n, "ab"[n % 2], "online", 1, 1) for n in range(10)]
    parts = split(objects, Limits(max_files=5))
    assert [part.keys for part in parts] == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]


def test_an_object_beyond_the_limit_travels_alone_and_last() -> None:
    objects = [ObjectWeight(n, "a", "online", 1, size) for n, size in enumerate([5, 100, 5])]
    assert [part.keys for part in split(objects, Limits(max_bytes=10))] == [[0], [2], [1]]


@pytest.mark.parametrize(("files", "size"), [(0, 1), (1, 0), (-1, -1)])
def test_limits_that_let_nothing_through_are_refused(files: int, size: int) -> None:
    with pytest.raises(ValueError, match="at least one file and one byte"):
        Limits(max_files=files, max_bytes=size)


def test_nothing_makes_no_part() -> None:
    assert split([], Limits()) == []
