"""Times and order statuses of a search: what is understood, what is refused, what is meant."""

from datetime import UTC, datetime, timedelta

import pytest

from models.catalogue_search import Interval, interval_of, item_status
from models.order import OrderStatus
from models.status_facts import ItemStatus
from models.suborder import SubOrderState

JUNE = datetime(2013, 6, 1, tzinfo=UTC)


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
        ("../2013-06-01t00:00:00z", Interval(None, JUNE)),
        ("2013-05-31T23:59:60Z", Interval(JUNE, JUNE)),
        ("2013-05-31t21:59:60.25-02:00/..", Interval(JUNE + timedelta(microseconds=250_000), None)),
        ("2013-06-01T00:00:00.123456789Z", Interval(*(JUNE + timedelta(microseconds=123_456),) * 2)),
        ("2013-06-01T00:00:00-00:00", Interval(JUNE, JUNE)),
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
        ("2013-06-01T24:00:00Z", "write instants"),
        ("2013-06-01T23:60:00Z", "no such instant"),
        ("2013-06-01T23:59:61Z", "no such instant"),
        ("9999-12-31T23:59:60Z", "no such instant"),
        ("0000-01-01T00:00:00Z", "no such instant"),
        ("2013-06-01T00:00:00+24:00", "no such instant"),
        ("2013-06-01T00:00:00+0200", "write instants"),
        ("2013-06-01T00:00:00,5Z", "write instants"),
        ("2013-06-01T00:00:00.Z", "write instants"),
        ("/2013-06-01T00:00:00Z/2013-06-02T00:00:00Z", "write instants"),
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
