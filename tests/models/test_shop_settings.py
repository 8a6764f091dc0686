"""Which of environment, settings and default holds, and what of a change is refused."""

from datetime import timedelta
from typing import Any

import pytest

from api.settings.schemas import ShopSettingsBody, settings_public
from models.messages import OrderTimeouts
from models.quotas import Quotas
from models.shop_settings import PUBLIC, SettingSource, ShopSettings, effective, setting_faults
from models.splitting import Limits

KEPT = {"keep_for": "P3D", "max_pause": "P2D", "languages": ["fr"]}


def test_the_environment_wins_over_settings_and_settings_over_defaults() -> None:
    held = effective(ShopSettings(keep_for=timedelta(days=1)), KEPT, 4)
    days = held.values.keep_for.days, held.values.max_pause.days, held.values.draft_timeout.days
    assert (days, held.values.languages, held.version) == ((1, 2, 30), ("fr",), 4)
    assert [held.sources[name] for name in ("keep_for", "max_pause", "draft_timeout")] == list(SettingSource)
    assert held.sources.keys() == ShopSettings.model_fields.keys()


def test_what_another_version_has_kept_and_this_one_cannot_read_is_as_if_it_were_not_set() -> None:
    held = effective(ShopSettings(), {"keep_for": "for ever", "no_more": 1, "max_pause": "P2D"}, 1)
    assert (held.values.keep_for, held.values.max_pause) == (timedelta(days=7), timedelta(days=2))
    assert held.sources["keep_for"] == SettingSource.DEFAULT


def test_the_shop_starts_orders_by_its_settings() -> None:
    shop = ShopSettings(max_files_per_suborder=3, max_open_orders=4, keep_for=timedelta(days=5))
    assert (shop.limits.max_files, shop.quotas.open_orders, shop.terms.keep_for.days) == (3, 4, 5)
    assert (ShopSettings().terms, ShopSettings().limits) == (OrderTimeouts(), Limits())
    assert ShopSettings().quotas == Quotas(10_000, 5_000_000, 20 * 2**40, 20_000_000, 100 * 2**40, timedelta(days=1))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"max_pause": "P1D"}, "set_by_environment"),
        ({"keep_for": "PT1H"}, "reminder_too_early"),
        ({"languages": ["fr", "fr"]}, "language_twice"),
        ({"welcome": {"de": "Hallo"}}, "language_unknown"),
        ({"welcome": {"fr": "b" * 4_001}}, "welcome_too_long"),
        ({"welcome": {"fr": "bon\x1bjour"}}, "welcome_unreadable"),
        ({"welcome": {"fr": "Bonjour\nà tous"}, "keep_for": "P1D", "languages": ["fr", "en"]}, None),
    ],
)
def test_each_fault_of_a_change_says_what_to_do(given: dict[str, Any], code: str | None) -> None:
    environment = ShopSettings(max_pause=timedelta(days=9))
    faults = setting_faults(environment, given, effective(environment, given, 1).values)
    assert [fault.code for fault in faults] == ([] if code is None else [code])
    assert all(fault.field.partition("/")[0] in {*given, "remind_before"} for fault in faults)


def test_what_the_environment_makes_odd_keeps_nobody_from_changing_something_else() -> None:
    odd = ShopSettings(keep_for=timedelta(hours=1), languages=("fr",))
    values = effective(odd, {"max_open_orders": 5}, 1).values
    assert setting_faults(odd, {"max_open_orders": 5}, values) == []


def test_the_facade_takes_and_shows_every_setting_within_the_same_bounds() -> None:
    assert list(ShopSettingsBody.model_fields) == list(ShopSettings.model_fields)
    body, kept = ShopSettingsBody.model_json_schema(), ShopSettings.model_json_schema()
    bounds = {"minimum", "exclusiveMinimum", "maximum", "minItems", "maxItems", "pattern", "maxProperties"}
    for name, schema in kept["properties"].items():
        if "_bytes_" in name:
            continue  # Pydantic says no bounds of a ByteSize
        taken = body["properties"][name]["anyOf"][0]
        assert {k: v for k, v in taken.items() if k in bounds} == {k: v for k, v in schema.items() if k in bounds}
    held = effective(ShopSettings(), {}, 0)
    assert settings_public(held, everything=True).values.given().keys() == body["properties"].keys()
    assert settings_public(held, everything=False).sources.keys() == PUBLIC
