"""Secrets from files: each setting that holds one is also read from the file that its variable with `_FILE` names.

So container platforms hand secrets over; a file, unlike the environment, is not inherited by every process below.
"""

import os
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from cli.errors import CommandFailed

SUFFIX = "_FILE"

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


def secret_in_file(variable: str) -> str | None:
    """What the file holds that a variable's `_FILE` names, without the blanks at its ends; None where none is named.

    Raises CommandFailed where the variable is set as well, and for a file that cannot be read or is empty.
    """
    path = os.environ.get(variable + SUFFIX)
    if not path:
        return None
    if os.environ.get(variable):
        raise CommandFailed(f"{variable} and {variable}{SUFFIX} are both set: unset one of them")
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise CommandFailed(f"{variable}{SUFFIX}: {path} is no text: name the file that holds the secret") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CommandFailed(
            f"{variable}{SUFFIX}: {path} cannot be read ({why}): name a file that we may read"
        ) from None
    if not content:
        raise CommandFailed(f"{variable}{SUFFIX}: {path} is empty: write the secret into it")
    return content


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def _is_list(annotation: Any) -> bool:
    return Ellipsis in get_args(annotation)
