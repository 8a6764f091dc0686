"""The token that our own commands show a dev stack, kept in its data folder.

To mint one takes as long as all else of a command that lists a few orders.
"""

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from cli.private_files import new_private_file

_LEFT_OVER: Final = 3600
"""Seconds that a token has to be good for yet: a command may wait for an order."""


def kept_token(data: Path, api: str) -> str:
    """A token of the default person for the API at this address, minted anew where the kept one ends soon."""
    path = _path(data)
    with suppress(OSError, ValueError, LookupError, TypeError):
        kept = json.loads(path.read_bytes())
        if kept["api"] == api and kept["until"] > time.time() + _LEFT_OVER:
            return str(kept["token"])
    from cli.dev.data import DataFolder
    from cli.dev.issuer.keys import LIFETIME, bearer_token

    until, token = time.time() + LIFETIME, bearer_token(DataFolder(data), api)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    # Where it cannot be kept, the next command mints its own.
    with suppress(OSError):
        with new_private_file(new) as file:
            json.dump({"api": api, "until": until, "token": token}, file)
        new.replace(path)
    return token


def forget_kept_token(data: Path) -> None:
    """Have the next command mint its token: the kept one was refused, as after a sign-out everywhere."""
    with suppress(OSError):
        _path(data).unlink(missing_ok=True)


def _path(data: Path) -> Path:
    return data.expanduser().resolve() / "secrets" / "commands-token.json"
