"""Lists of orders: whatever the filter and the sort, the pages are what a plain look at every order gives."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from api.http.cursors import Cursors
from database.engine import make_sessions
from models.errors import FailureCode
from models.listing import OrderFilter, Position, Sort, Visibility
from models.order import OrderStatus
from models.queries import listing as queries
from models.status_facts import DeliveryStatus
from services import listing
from tests.databases import truncate
from tests.factories import Sessions
from tests.listings import BEGIN, CUSTOMERS, FAILURES, LABELS, SKUS, Row, add_rows, in_order, naive, order_row

ORDERS = 240


@pytest.fixture(scope="module")
async def listed(engine: AsyncEngine) -> tuple[Sessions, list[Row]]:
    """Orders of all kinds."""
    await truncate(engine)
    sessions, chance = make_sessions(engine), random.Random(7)
    numbers = [*range(999_900, 999_900 + ORDERS)]  # the serial grows past its six digits among them
    return sessions, await add_rows(sessions, [order_row(n, chance) for n in numbers], chance)


async def pages(sessions: Sessions, query: listing.OrderQuery, limit: int) -> list[list[Any]]:
    """Every page, by cursors as the facade seals them."""
    cursors = Cursors(b"key", repr(query))
    found: list[list[Any]] = []
    after: Position | None = None
    while True:
        async with sessions.begin() as session:
            ready = await listing.resolve(session, query)
            rows = await listing.page(session, ready, after, limit + 1)
        found.append([row.id for row in rows[:limit]])
        if len(rows) <= limit:
            return found
        last = rows[limit - 1]
        after = cursors.position(cursors.after(last.sort_key, str(last.id)))


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


instants = st.integers(-10, 8000).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
terms = st.sampled_from(
    ["co-2026", "99999", "öre", "WINTER", "%", "_", "\\", "a_b", "50%", "été", "ÉTÉ", "bob@", "=sum", "zzz", "o", "or"]
)
filters = st.builds(
    OrderFilter,
    terms=st.lists(terms, max_size=2, unique=True).map(tuple),
    statuses=maybe(st.frozensets(st.sampled_from(OrderStatus), max_size=4)),
    delivery=maybe(st.frozensets(st.sampled_from(DeliveryStatus), min_size=1, max_size=3)),
    products=st.lists(st.sampled_from([*SKUS, "none"]), max_size=2).map(tuple),
    customers=st.lists(st.sampled_from(CUSTOMERS), max_size=2).map(tuple),
    label=maybe(st.sampled_from([f"{label} {n}" for label in LABELS for n in (999_950, 999_951, 1_000_001)])),
    created_after=maybe(instants),
    created_before=maybe(instants),
    expires_after=maybe(instants),
    expires_before=maybe(instants),
    min_bytes=maybe(st.sampled_from([0, 1, 10**6, 2**63 - 1])),
    max_bytes=maybe(st.sampled_from([0, 1, 10**6, 2**63 - 1])),
    waiting_for_user=maybe(st.booleans()),
    has_errors=maybe(st.booleans()),
    failures=maybe(st.frozensets(st.sampled_from([*FAILURES, FailureCode.INTERNAL]), min_size=1, max_size=2)),
)
visibilities = st.sampled_from([Visibility(None), *map(Visibility, CUSTOMERS), Visibility("nobody")])


@st.composite
def criteria(draw: st.DrawFn) -> OrderFilter:
    """A filter of which a few parts are set, so that something is left."""
    whole = draw(filters)
    kept = draw(st.sets(st.sampled_from(sorted(OrderFilter.__dataclass_fields__)), max_size=3))
    return OrderFilter(**{name: getattr(whole, name) for name in kept})


@given(
    visibility=visibilities,
    criteria=criteria(),
    sort=st.sampled_from(Sort),
    limit=st.sampled_from([9, 40, 100, ORDERS]),
    walk=st.sampled_from([3, 20_000]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
async def test_the_pages_of_a_list_are_all_that_match_in_order(
    listed: tuple[Sessions, list[Row]], visibility: Visibility, criteria: OrderFilter, sort: Sort, limit: int, walk: int
) -> None:
    sessions, rows = listed
    expected = [row["id"] for row in in_order(naive(rows, visibility, criteria), sort)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "WALK", walk)  # few orders, so that both ways are gone
        found = await pages(sessions, listing.OrderQuery(visibility, criteria, sort), limit)
    assert [key for page in found for key in page] == expected
    assert all(len(page) == limit for page in found[:-1])


@given(visibility=visibilities, criteria=criteria())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
async def test_the_counts_are_those_of_the_list_without_its_statuses(
    listed: tuple[Sessions, list[Row]], visibility: Visibility, criteria: OrderFilter
) -> None:
    sessions, rows = listed
    async with sessions.begin() as session:
        query = await listing.resolve(session, listing.OrderQuery(visibility, criteria, Sort.NEWEST))
        found = await listing.counts(session, query)
    assert found.total == len(naive(rows, visibility, criteria))
    assert not found.capped
    free = {name: getattr(criteria, name) for name in OrderFilter.__dataclass_fields__}
    shown = frozenset(OrderStatus) - {OrderStatus.DELETED} | (criteria.statuses or frozenset())
    expected = Counter(row["status"] for row in naive(rows, visibility, OrderFilter(**free | {"statuses": shown})))
    assert found.by_status == expected


@pytest.mark.parametrize("sort", Sort)
async def test_orders_that_come_between_two_pages_neither_hide_nor_repeat_any(sessions: Sessions, sort: Sort) -> None:
    chance = random.Random(3)
    before = await add_rows(
        sessions, [order_row(n, chance, customer="local", status="failed") for n in range(40)], chance
    )
    query = listing.OrderQuery(Visibility("local"), OrderFilter(), sort)
    seen: list[Any] = []
    after: Position | None = None
    for turn in range(100):
        async with sessions.begin() as session:
            rows = await listing.page(session, query, after, 5)
        if not rows:
            break
        seen += [row.id for row in rows]
        after = Position(rows[-1].sort_key, rows[-1].id)
        if turn < 5:
            more = [order_row(1000 + 10 * turn + n, chance, customer="local", status="failed") for n in range(10)]
            await add_rows(sessions, more, chance)
    assert len(seen) == len(set(seen))
    assert {row["id"] for row in before} <= set(seen)


async def test_beyond_a_limit_matches_are_not_counted_on(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (queries, listing):
        monkeypatch.setattr(module, "COUNT_LIMIT", 101)
    chance = random.Random(5)
    rows = [order_row(n, chance, customer="local", status="failed" if n % 2 else "fulfilled") for n in range(150)]
    await add_rows(sessions, rows, chance)
    async with sessions.begin() as session:
        some = await listing.counts(
            session, listing.OrderQuery(Visibility("local"), OrderFilter(terms=("co-",)), Sort.NEWEST)
        )
        failed = frozenset({OrderStatus.FAILED})
        half = listing.OrderQuery(Visibility("local"), OrderFilter(terms=("co-",), statuses=failed), Sort.NEWEST)
        fewer = await listing.counts(session, half)
        everything = await listing.counts(session, listing.OrderQuery(Visibility("local"), OrderFilter(), Sort.NEWEST))
    assert (some.total, some.capped) == (101, True)
    assert (fewer.total, fewer.capped) == (75, False)
    assert (everything.total, everything.capped) == (150, False)


@pytest.mark.parametrize("as_text", [lambda row: str(row["id"]), lambda row: row["number"].lower()])
async def test_a_whole_id_or_number_finds_its_order_and_no_other(sessions: Sessions, as_text: Any) -> None:
    chance = random.Random(9)
    (row,) = await add_rows(sessions, [order_row(1, chance, customer="local", status="failed")], chance)
    other = order_row(2, chance, customer="local", status="failed", label=f"see {row['id']} {row['number']}"[:50])
    await add_rows(
        sessions, [other, order_row(3, chance, customer="alice", status="failed", label=as_text(row))], chance
    )
    for visibility, expected in ((Visibility("local"), [[row["id"]]]), (Visibility(None), [[row["id"]]])):
        query = listing.OrderQuery(visibility, OrderFilter(terms=(as_text(row),)), Sort.NEWEST)
        assert await pages(sessions, query, 10) == expected
    # Somebody else's number is a word like any other.
    hers = await pages(
        sessions, listing.OrderQuery(Visibility("alice"), OrderFilter(terms=(as_text(row),)), Sort.NEWEST), 10
    )
    assert len(hers[0]) == 1
    assert hers[0] != [row["id"]]


async def test_the_version_grows_with_a_status_and_not_with_a_byte(sessions: Sessions) -> None:
    chance = random.Random(1)
    await add_rows(sessions, [order_row(1, chance, customer="local", status="failed")], chance)

    async def version(change: str, visibility: Visibility) -> int:
        async with sessions.begin() as session:
            await session.execute(sa.text(change))
            return await listing.version(session, visibility)

    local = Visibility("local")
    first = await version("SELECT 1", local)
    assert await version("UPDATE orders SET bytes_settled = 7", local) == first
    second = await version("UPDATE orders SET status = 'expired', version = 2", local)
    assert second > first
    assert await version("UPDATE orders SET version = 3", local) > second
    assert await version("SELECT 1", Visibility("alice")) == 0
    assert await version("DELETE FROM orders", Visibility(None)) > second


def test_a_customer_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="without a name"):
        Visibility("")
