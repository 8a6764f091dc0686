"""Places, times and order statuses of a search: what is understood, what is refused, what is meant."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue_search import Box, Interval, box_of, interval_of, item_status, rolled
from models.order import OrderStatus
from models.status_facts import ItemStatus
from models.suborder import SubOrderState

JUNE = datetime(2013, 6, 1, tzinfo=UTC)
longitudes, latitudes = st.floats(-180, 180), st.floats(-90, 90)


@pytest.mark.parametrize(
    ("numbers", "box"),
    [
        ([-10, -5, 10, 5], Box(-10, -5, 10, 5)),
        ([-10, -5, 0, 10, 5, 8000], Box(-10, -5, 10, 5)),
        ([170, -5, -170, 5], Box(170, -5, -170, 5)),
        ([-180, -90, 180, 90], Box(-180, -90, 180, 90)),
        ([7, 7, 7, 7], Box(7, 7, 7, 7)),
    ],
)
def test_a_box_has_four_numbers_or_six_and_may_cross_the_antimeridian(numbers: list[float], box: Box) -> None:
    assert box_of(numbers) == box


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ([], "four numbers"),
        ([1, 2, 3], "four numbers"),
        ([1, 2, 3, 4, 5], "four numbers"),
        ([0, 0, float("nan"), 1], "finite"),
        ([0, 0, float("inf"), 1], "finite"),
        ([-181, 0, 1, 1], "longitudes"),
        ([0, 0, 190, 1], "antimeridian"),
        ([0, -91, 1, 1], "latitudes"),
        ([0, 0, 1, 91], "latitudes"),
        ([0, 2, 1, 1], "south"),
        ([0, 0, 9, 1, 1, 8], "elevation"),
    ],
)
def test_what_is_no_box_is_refused_with_its_reason(numbers: list[float], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        box_of(numbers)


@given(longitudes, latitudes, longitudes, latitudes)
def test_unrolling_a_box_and_rolling_it_up_again_changes_nothing(
    west: float, south: float, east: float, north: float
) -> None:
    box = Box(west, min(south, north), east, max(south, north))
    unrolled = box.unrolled
    assert unrolled.west <= unrolled.east
    # -180 and 180 are one meridian: a box that ends there over the antimeridian comes back as ending at 180.
    expected = box._replace(east=180.0) if box.east == -180.0 < box.west else box
    assert tuple(rolled(*unrolled)) == pytest.approx(tuple(expected))


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("2013-06-01T00:00:00Z", Interval(JUNE, JUNE)),
        ("2013-06-01t00:00:00z", Interval(JUNE, JUNE)),
        ("2013-06-01T02:00:00.000000+02:00", Interval(JUNE, JUNE)),
        ("2013-06-01T00:00:00Z/2013-06-02T00:00:00.5Z", Interval(JUNE, JUNE + timedelta(days=1, milliseconds=500))),
        ("../2013-06-01T00:00:00Z", Interval(None, JUNE)),
        ("/2013-06-01T00:00:00Z", Interval(None, JUNE)),
        ("2013-06-01T00:00:00Z/..", Interval(JUNE, None)),
        ("2013-06-01T00:00:00Z/", Interval(JUNE, None)),
    ],
)
def test_a_time_is_an_instant_or_an_interval_with_at_most_one_open_end(text: str, interval: Interval) -> None:
    assert interval_of(text) == interval


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write instants"),
        ("/", "may be open"),
        ("../..", "may be open"),
        ("2013", "write instants"),
        ("2013-06-01", "write instants"),
        ("2013-06-01T00:00:00", "write instants"),
        ("20130601T000000Z", "write instants"),
        ("2013-13-01T00:00:00Z", "no such instant"),
        ("2013-06-01T24:61:00Z", "no such instant"),
        ("2013-06-02T00:00:00Z/2013-06-01T00:00:00Z", "before it begins"),
        ("2013-06-01T00:00:00Z/2013-06-02T00:00:00Z/2013-06-03T00:00:00Z", "write instants"),
        ("٢٠١٣-06-01T00:00:00Z", "write instants"),
    ],
)
def test_what_is_no_time_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        interval_of(text)


READY, STAGING, LOST = SubOrderState.READY, SubOrderState.STAGING, SubOrderState.FAILED


@pytest.mark.parametrize(
    ("order", "parts", "files_there", "status"),
    [
        (None, [], False, ItemStatus.ORDERABLE),
        (OrderStatus.DRAFT, [], False, ItemStatus.ORDERABLE),
        (OrderStatus.PENDING_PAYMENT, [], False, ItemStatus.PENDING),
        (OrderStatus.PAYMENT_CONFIRMED, [], False, ItemStatus.ORDERED),
        (OrderStatus.VALIDATING, [], False, ItemStatus.ORDERED),
        (OrderStatus.PROVISIONING, [STAGING], False, ItemStatus.SHIPPING),
        (OrderStatus.PROVISIONING, [READY], True, ItemStatus.SUCCEEDED),
        (OrderStatus.PROVISIONING, [LOST], False, ItemStatus.FAILED),
        (OrderStatus.PAUSED, [STAGING], False, ItemStatus.PENDING),
        (OrderStatus.FULFILLED, [SubOrderState.DOWNLOADED], True, ItemStatus.SUCCEEDED),
        (OrderStatus.FULFILLED_WITH_WARNINGS, [READY], False, ItemStatus.FAILED),
        (OrderStatus.FULFILLED_WITH_WARNINGS, [READY], True, ItemStatus.SUCCEEDED),
        (OrderStatus.FULFILLED, [], False, ItemStatus.ORDERABLE),
        (OrderStatus.FAILED, [LOST], False, ItemStatus.FAILED),
        (OrderStatus.CANCELLED, [SubOrderState.CANCELLED], False, ItemStatus.CANCELED),
        (OrderStatus.CANCELLED, [READY], True, ItemStatus.CANCELED),
        (OrderStatus.EXPIRED, [SubOrderState.EXPIRED], False, ItemStatus.ORDERABLE),
        (OrderStatus.DELETED, [READY], True, ItemStatus.ORDERABLE),
    ],
)
def test_an_object_has_the_status_of_its_own_files_and_not_only_of_the_order(
    order: OrderStatus | None, parts: list[SubOrderState], files_there: bool, status: ItemStatus
) -> None:
    assert item_status(order, parts, files_there=files_there) == status


def test_every_status_of_an_order_means_something_to_a_searcher() -> None:
    assert {item_status(status, [], files_there=False) for status in OrderStatus} == {
        ItemStatus.ORDERABLE, ItemStatus.ORDERED, ItemStatus.PENDING, ItemStatus.SHIPPING, ItemStatus.FAILED,
        ItemStatus.CANCELED,
    }  # fmt: skip
