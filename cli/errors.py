"""What the `consignor` command says instead of a traceback."""

import errno
import os
import sys
from typing import Any, Final

from models.text import shown

_REMEDIES: Final = {
    errno.ENOSPC: "free some space and run the same command again",
    errno.EDQUOT: "free some space and run the same command again",
    errno.EACCES: "choose a place that you may use",
    errno.EPERM: "choose a place that you may use",
    errno.EROFS: "choose a place that can be written to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "look for a slip in the name",
    errno.ENOTDIR: "look for a slip in the name",
    errno.EISDIR: "name a file, not a folder",
    errno.EEXIST: "choose another name",
    errno.EIO: "look at the disk",
}


class CommandFailed(Exception):
    """`str()` tells the person at the terminal what happened and what to do, in as many lines; the exit code is 1."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(shown, lines)))


class Refused(CommandFailed):
    """What the API refused: `problem` is its answer, for commands that know what to do about some of them."""

    def __init__(self, problem: Any, *lines: str) -> None:
        super().__init__(*lines)
        self.problem = problem


class MadeUnshown(Exception):
    """Something was made, and the token may not read what: no failure, unless somebody was to wait for it."""

    def __init__(self, url: str) -> None:
        super().__init__(f"made {shown(url)}; this access token may not read it")


def failure_of(error: Exception) -> CommandFailed | None:
    """What a person is told of an error that is none of the program's; None of one that is."""
    if isinstance(error, CommandFailed):
        return error
    if isinstance(error, OSError):
        return CommandFailed(_of_the_system(error))
    return _of_a_library(error)


def _of_the_system(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes | os.PathLike) else ""
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{where}{what}" + (f"; {remedy}" if remedy else "")


def _of_a_library(error: Exception) -> CommandFailed | None:
    """Only of libraries that are loaded, so that no command waits for those that it does not use."""
    if _is_a(error, "models.errors", "DomainError"):
        return CommandFailed(str(error))
    if _is_a(error, "sqlalchemy.exc", "SQLAlchemyError") or _is_a(error, "psycopg", "Error"):
        return CommandFailed(f"the database did not do it: {_of_the_database(error)}")
    if _is_a(error, "alembic.util", "CommandError"):
        return CommandFailed(f"the database cannot be migrated: {error}")
    if _is_a(error, "httpx2", "HTTPError") or _is_a(error, "httpx2", "InvalidURL"):
        return CommandFailed(f"the API does not answer ({error or type(error).__name__}); is it running?")
    return None


def _of_the_database(error: Exception) -> str:
    from database.readiness import lacks_schema, unavailable

    if lacks_schema(error):
        return f"{unavailable(error).reason}; it is not migrated to this release: run `consignor migrate`"
    return str(unavailable(error))


def _is_a(error: Exception, module: str, name: str) -> bool:
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(error, getattr(loaded, name))
