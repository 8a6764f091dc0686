"""Secrets from files: each setting that holds one is also read from the file that its variable with `_FILE` names.

So container platforms hand secrets over; a file, unlike the environment, is not inherited by every process below.
"""

from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from cli.runtime.secret_values import secret_in_file

_SECRET_BY_CONTENT = frozenset({"database_url"})
"""Fields of another type that carry a password all the same."""


class SecretFiles(PydanticBaseSettingsSource):
    """The secrets of settings that lie in files; a list has one on a line."""

    def __call__(self) -> dict[str, Any]:
        """What the files say, by the fields' names or aliases. Raises CommandFailed."""
        found = {}
        for name, field in secret_fields(self.settings_cls).items():
            if (content := secret_in_file(variable_of(name, field, self.config.get("env_prefix", "")))) is not None:
                value = content.splitlines() if _is_list(field.annotation) else content
                found[str(field.validation_alias or name)] = value
        return found

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Nothing: a file is read once, with all others."""
        return None, field_name, False


def secret_fields(settings: type[BaseSettings]) -> dict[str, FieldInfo]:
    """The fields that hold a secret: the types say it."""
    fields = settings.model_fields.items()
    return {name: field for name, field in fields if name in _SECRET_BY_CONTENT or _is_secret(field.annotation)}


def variable_of(name: str, field: FieldInfo, prefix: str) -> str:
    """The environment variable of a field."""
    return str(field.validation_alias or f"{prefix}{name}").upper()


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def _is_list(annotation: Any) -> bool:
    return Ellipsis in get_args(annotation)
