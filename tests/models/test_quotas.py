"""Quotas as figures: what is left, what goes beyond, and what each refusal says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.order import OrderStatus
from models.quotas import OPEN, Quotas, Usage, quota_faults, quotas_of

COUNT = st.integers(min_value=0, max_value=2**62)


@given(limit=st.integers(min_value=1, max_value=2**62), used=COUNT, adds=COUNT)
def test_a_limit_is_exceeded_by_what_does_not_fit_and_never_by_nothing(limit: int, used: int, adds: int) -> None:
    (quota,) = quotas_of(Quotas(bytes_per_period=limit), Usage(bytes=used), Usage(bytes=adds))
    assert quota.exceeded == (adds > 0 and used + adds > limit)
    assert quota.remaining == max(0, limit - used)
    assert len(quota_faults([quota])) == quota.exceeded


@given(used=COUNT, adds=COUNT)
def test_without_limits_nothing_is_too_much(used: int, adds: int) -> None:
    assert quotas_of(Quotas(), Usage(used, used, used), Usage(1, adds, adds)) == []
    assert not Quotas().limits_orders


@pytest.mark.parametrize(
    "name", ["open_orders", "files_per_order", "bytes_per_order", "files_per_period", "bytes_per_period"]
)
def test_every_limit_has_its_figures_and_its_remedy(name: str) -> None:
    limits = Quotas(**{name: 1000}, period=timedelta(days=30))
    assert limits.limits_orders
    (fault,) = quota_faults(quotas_of(limits, Usage(1000, 1000, 1000), Usage(1001, 1001, 1001)))
    assert (fault.field, fault.code) == ("items", f"{name}_exceeded")
    assert "1,000" in fault.text
    assert "{" not in fault.text
    assert ("30 days" in fault.text) == name.endswith("period")


def test_open_is_what_something_is_still_to_be_done_for() -> None:
    ended = {"fulfilled", "fulfilled_with_warnings", "failed", "cancelled", "expired", "deleted"}
    assert {str(status) for status in set(OrderStatus) - OPEN} == ended
