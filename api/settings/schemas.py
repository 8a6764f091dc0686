"""What the facade takes and shows of the shop's settings."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import to_jsonable_python

from api.schemas import WHOLE, Body, change_schema
from models.shop_settings import (
    MOST,
    PUBLIC,
    AtLeastOne,
    Count,
    EffectiveSettings,
    Folding,
    Languages,
    SettingSource,
    Span,
    SpanOfSome,
    Welcome,
)


def _written_out(value: Any) -> Any:
    """A span is text, such as P7D: a number would not say of what."""
    if isinstance(value, str | timedelta):
        return value
    raise ValueError("a span is text as ISO 8601 has it, such as P7D or PT36H")


_Text = BeforeValidator(_written_out)
_Span = Annotated[Span, Strict(False), _Text]
_SpanOfSome = Annotated[SpanOfSome, Strict(False), _Text]
_Folding = Annotated[Folding, Strict(False)]
_Count = Annotated[Count, WHOLE]
_AtLeastOne = Annotated[AtLeastOne, WHOLE]


def _is_none(value: object) -> bool:
    return value is None


class ShopSettingsBody(Body):
    """The shop's settings, as many as are given: sizes in bytes, spans as ISO 8601 has them, a limit of 0 is none.

    In a change null leaves one to its default again, and what is left out stays.
    """

    model_config = ConfigDict(json_schema_extra=change_schema({"keep_for": "P14D", "max_open_orders": 100}))

    max_files_per_suborder: _AtLeastOne | None = Field(default=None, exclude_if=_is_none)
    max_bytes_per_suborder: _AtLeastOne | None = Field(default=None, exclude_if=_is_none)
    max_open_orders: _Count | None = Field(default=None, exclude_if=_is_none)
    max_files_per_order: _Count | None = Field(default=None, exclude_if=_is_none)
    max_bytes_per_order: _Count | None = Field(default=None, exclude_if=_is_none)
    quota_period: _SpanOfSome | None = Field(default=None, exclude_if=_is_none)
    max_files_per_period: _Count | None = Field(default=None, exclude_if=_is_none)
    max_bytes_per_period: _Count | None = Field(default=None, exclude_if=_is_none)
    draft_timeout: _Span | None = Field(default=None, exclude_if=_is_none)
    payment_timeout: _Span | None = Field(default=None, exclude_if=_is_none)
    max_pause: _Span | None = Field(default=None, exclude_if=_is_none)
    keep_for: _Span | None = Field(default=None, exclude_if=_is_none)
    remind_before: _Span | None = Field(default=None, exclude_if=_is_none)
    max_extension: _Span | None = Field(default=None, exclude_if=_is_none)
    languages: Annotated[Languages, Strict(False)] | None = Field(default=None, exclude_if=_is_none)
    welcome: Welcome | None = Field(default=None, exclude_if=_is_none, description="Texts by language.")
    cart_groups: _Folding | None = Field(default=None, exclude_if=_is_none)
    history_groups: _Folding | None = Field(default=None, exclude_if=_is_none)
    group_by_product: bool | None = Field(default=None, exclude_if=_is_none)

    def given(self) -> dict[str, Any]:
        """What the body gives, as it is kept."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        kept: dict[str, Any] = to_jsonable_python(values)
        return kept


class SettingsPublic(BaseModel):
    """The settings that hold, as many as you may see, where each comes from, and their version."""

    values: ShopSettingsBody
    sources: dict[str, SettingSource]
    version: int = Field(ge=0, le=MOST)


def settings_public(settings: EffectiveSettings, *, everything: bool) -> SettingsPublic:
    """What holds, all of it or what everybody may see."""
    names = [name for name in settings.sources if everything or name in PUBLIC]
    values = {name: getattr(settings.values, name) for name in names}
    return SettingsPublic(
        values=ShopSettingsBody.model_validate(values),
        sources={name: settings.sources[name] for name in names},
        version=settings.version,
    )
