"""Secrets as they are given: in a variable, or in the file that a variable of its name with `_FILE` names."""

import os
from pathlib import Path
from typing import Final

from cli.errors import CommandFailed
from models.text import fits_header

SUFFIX: Final = "_FILE"


def checked_token(token: str) -> str:
    """A token that can be shown to a server. Raises ValueError."""
    if not fits_header(token) or " " in token:
        raise ValueError(
            "a token is one word of ASCII characters, and this one has others, such as a blank or a line end:"
            " set it again as it was given out"
        )
    return token


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
