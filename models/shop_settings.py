"""The shop's settings: what an operator may change while everything runs, and what of it holds.

Each has a default, an environment variable `CONSIGNOR_…` of its name, and may be set by an admin. The variable wins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ByteSize, ConfigDict, Field, ValidationError

from models.errors import Fault
from models.messages import OrderTimeouts
from models.quotas import Quotas
from models.splitting import Limits
from models.text import refused_character

_GIB = 1024**3
_TIB = 1024 * _GIB
MOST = 2**53 - 1

Count = Annotated[int, Field(ge=0, le=MOST)]
AtLeastOne = Annotated[int, Field(ge=1, le=MOST)]
Size = Annotated[ByteSize, Field(ge=0, le=MOST)]
SizeOfSome = Annotated[ByteSize, Field(ge=1, le=MOST)]
Span = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=3650))]
SpanOfSome = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3650))]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Languages = Annotated[tuple[Language, ...], Field(min_length=1, max_length=20)]
Welcome = Annotated[dict[Language, str], Field(max_length=20)]

MAX_WELCOME_CHARACTERS = 4_000


class Folding(StrEnum):
    """How a list of groups is shown at first; `always_expanded` cannot be collapsed."""

    EXPANDED = "expanded"
    COLLAPSED = "collapsed"
    ALWAYS_EXPANDED = "always_expanded"


class ShopSettings(BaseModel):
    """Every setting of the shop. What of one has been set, and not left to its default, are its `model_fields_set`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # How orders are cut.
    max_files_per_suborder: AtLeastOne = 5_000
    max_bytes_per_suborder: SizeOfSome = ByteSize(2 * _GIB)
    # What each customer may have; 0 is no limit. The period is the span that the sums of files and bytes look back on.
    max_open_orders: Count = 10_000
    max_files_per_order: Count = 5_000_000
    max_bytes_per_order: Size = ByteSize(20 * _TIB)
    quota_period: SpanOfSome = timedelta(days=1)
    max_files_per_period: Count = 20_000_000
    max_bytes_per_period: Size = ByteSize(100 * _TIB)
    # How long an order may take its time.
    draft_timeout: Span = timedelta(days=30)
    payment_timeout: Span = timedelta(days=14)
    max_pause: Span = timedelta(days=30)
    keep_for: Span = timedelta(days=7)
    remind_before: Span = timedelta(days=1)
    max_extension: Span = timedelta(days=30)
    # What pages show. The first language is the one of those who have chosen none.
    languages: Languages = ("en", "fr")
    welcome: Welcome = Field(default_factory=dict)
    cart_groups: Folding = Folding.EXPANDED
    history_groups: Folding = Folding.COLLAPSED
    group_by_product: bool = True

    @property
    def limits(self) -> Limits:
        """How orders are cut, by the workers as in estimates."""
        return Limits(max_files=self.max_files_per_suborder, max_bytes=self.max_bytes_per_suborder)

    @property
    def quotas(self) -> Quotas:
        """What each customer may have."""
        return Quotas(
            open_orders=self.max_open_orders,
            files_per_order=self.max_files_per_order,
            bytes_per_order=self.max_bytes_per_order,
            files_per_period=self.max_files_per_period,
            bytes_per_period=self.max_bytes_per_period,
            period=self.quota_period,
        )

    @property
    def terms(self) -> OrderTimeouts:
        """How long an order may take its time, for a workflow that begins now."""
        return OrderTimeouts.model_validate({name: getattr(self, name) for name in OrderTimeouts.model_fields})


PUBLIC = frozenset({"languages", "welcome", "cart_groups", "history_groups", "group_by_product"})
"""What everybody may see who is signed in, for the pages are made of it."""


class SettingSource(StrEnum):
    """Where the value of a setting comes from."""

    ENVIRONMENT = "environment"
    SETTINGS = "settings"
    DEFAULT = "default"


@dataclass(frozen=True)
class EffectiveSettings:
    """What holds, where each value comes from, and of which version of the settings that admins have made."""

    values: ShopSettings
    sources: Mapping[str, SettingSource]
    version: int


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"CONSIGNOR_{name.upper()}"


def effective(environment: ShopSettings, kept: Mapping[str, Any], version: int) -> EffectiveSettings:
    """What holds of what the environment has set and what was kept; what nobody may set any more does not."""
    given = {name: getattr(environment, name) for name in environment.model_fields_set}
    unfit = _unfit(kept)
    made = {name: value for name, value in kept.items() if name not in unfit}
    sources = dict.fromkeys(ShopSettings.model_fields, SettingSource.DEFAULT)
    sources |= dict.fromkeys(made, SettingSource.SETTINGS) | dict.fromkeys(given, SettingSource.ENVIRONMENT)
    return EffectiveSettings(ShopSettings.model_validate({**made, **given}), sources, version)


def setting_faults(environment: ShopSettings, given: Mapping[str, Any], values: ShopSettings) -> list[Fault]:
    """Everything that is wrong with a change; `values` are what would hold after it."""
    faults = [
        Fault(
            field=name,
            code="set_by_environment",
            text=f"{name} is set by the environment variable {variable(name)}, which wins; unset it there first",
        )
        for name in given
        if name in environment.model_fields_set
    ]
    if given.keys() & {"keep_for", "remind_before"} and values.remind_before > values.keep_for:
        text = "remind_before is longer than keep_for: nobody would be reminded in time; make it shorter, or 0 for none"
        faults.append(Fault(field="remind_before", code="reminder_too_early", text=text))
    if given.keys() & {"languages", "welcome"}:
        faults += _language_faults(values)
    return faults


def _language_faults(values: ShopSettings) -> Iterator[Fault]:
    if len(set(values.languages)) < len(values.languages):
        text = "a language is named twice; name each once, the default first"
        yield Fault(field="languages", code="language_twice", text=text)
    for language, text in values.welcome.items():
        where = f"welcome/{language}"
        if language not in values.languages:
            told = f"{language} is none of the languages {', '.join(values.languages)}; add it there, or leave it out"
            yield Fault(field=where, code="language_unknown", text=told)
        if len(text) > MAX_WELCOME_CHARACTERS:
            told = f"a welcome has at most {MAX_WELCOME_CHARACTERS} characters; this one has {len(text)}"
            yield Fault(field=where, code="welcome_too_long", text=told)
        elif why := refused_character(text, lines=True):
            yield Fault(field=where, code="welcome_unreadable", text=f"a welcome cannot be kept as it is: {why}")


def _unfit(kept: Mapping[str, Any]) -> set[Any]:
    """Names of what another version has kept and means nothing to this one."""
    try:
        ShopSettings.model_validate(kept)
    except ValidationError as wrong:
        return {fault["loc"][0] for fault in wrong.errors(include_input=False, include_url=False)}
    return set()
