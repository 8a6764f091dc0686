"""Whether a database is one that this release can work with; if not, why, and what to do about it."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from psycopg import OperationalError, ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import exc, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

OLDEST_MAJOR: Final = 15
"""The oldest PostgreSQL that the migrations and queries work with."""

CONNECT_TIMEOUT: Final = 3

DATABASE_AWAY: Final = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""What says that the database does not answer, or has no connection free; the statement itself may be right."""

_MIGRATE: Final = "run `consignor migrate`"
_START: Final = "start PostgreSQL there, or correct host and port in DATABASE_URL"

# What the server, libpq and the driver say when there is no connection, and what somebody can do then. A server of
# another language says it in that one, and gets the last remedy.
_REMEDIES: Final = (
    (r'database "[^"]*" does not exist', "create it (`createdb`), or correct the database's name in DATABASE_URL"),
    (r'password authentication failed|role "[^"]*" does not exist|no password', "correct the user and password"),
    (r"failed to resolve host|could not translate host", "correct the host in DATABASE_URL"),
    (r"Connection refused|No such file or directory|timeout|No route to host|unreachable", _START),
    (r"pg_hba\.conf|SSL", "let this machine in (pg_hba.conf), or set `sslmode` in DATABASE_URL"),
    (r"too many clients|connection slots", "raise max_connections, or run fewer processes"),
    (r"permission denied", "grant the user what it lacks"),
)  # fmt: skip
_ANY_REMEDY: Final = "look at DATABASE_URL and at the server's log"


@dataclass(frozen=True)
class Unready:
    """Why a database cannot be worked with, and what to do; `str()` is one line."""

    code: Literal["unavailable", "too_old", "not_migrated"]
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}"


@dataclass(frozen=True)
class DatabaseFacts:
    """What a database says of itself."""

    major: int
    version: str
    revision: str | None
    """None where nothing has been migrated yet."""

    def unready(self, newest: str) -> Unready | None:
        """What stands against code that was written for the revision `newest`.

        A newer database serves older code: while a release is rolled out, it is migrated first.
        """
        if self.major < OLDEST_MAJOR:
            return Unready(
                "too_old",
                f"PostgreSQL {self.version} is too old",
                f"PostgreSQL {OLDEST_MAJOR} or newer is needed: upgrade the server, or name another in DATABASE_URL",
            )
        if self.revision is None:
            return Unready("not_migrated", "the database has no tables of Consignor yet", _MIGRATE)
        if self.revision < newest:
            return Unready("not_migrated", f"the database is at revision {self.revision} of {newest}", _MIGRATE)
        return None


# SQLSTATE of undefined tables, columns, functions and other objects.
_UNDEFINED: Final = frozenset({"42P01", "42703", "42883", "42704"})

_FACTS: Final = text(
    "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_version'),"
    " to_regclass('alembic_version') IS NOT NULL"
)
_REVISION: Final = text("SELECT max(version_num) FROM alembic_version")


async def look(connection: AsyncConnection | AsyncSession) -> DatabaseFacts:
    """What the database at the other end says of itself. Raises DBAPIError."""
    major, version, there = (await connection.execute(_FACTS)).one()
    revision = (await connection.execute(_REVISION)).scalar_one() if there else None
    return DatabaseFacts(major, version.partition(" ")[0], revision)


async def check(url: str, newest: str) -> Unready | None:
    """What stands against a database, asked over a connection of its own; None where nothing does."""
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_TIMEOUT})
    try:
        async with engine.connect() as connection:
            return (await look(connection)).unready(newest)
    except (DBAPIError, OSError) as error:
        return unavailable(error)
    finally:
        await engine.dispose()


def unavailable(error: BaseException) -> Unready:
    """Why there is no connection, from the driver's error; its first line, for the others repeat it."""
    said = str(getattr(error, "orig", None) or error).strip()
    reason = said.partition("\n")[0] or type(error).__name__
    remedy = next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, said)), _ANY_REMEDY)
    return Unready("unavailable", re.sub(r"^connection failed: ", "", reason), remedy)


def lacks_schema(error: BaseException) -> bool:
    """Whether an error is of a table, column or function that is not there, as in a database that is not migrated."""
    state = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return state in _UNDEFINED


def dsn(url: str) -> str:
    """The URL as libpq takes it, without SQLAlchemy's name of the driver."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def check_url(url: str) -> str:
    """The URL itself. Raises ValueError, which does not name the password, where it is none of PostgreSQL."""
    how = "write it as postgresql://user:password@host:5432/name, special letters as %-escapes"
    scheme, there, _ = url.partition("://")
    if not there:
        raise ValueError(f"it is no URL; {how}")
    if scheme not in {"postgresql", "postgresql+psycopg"}:
        raise ValueError(f"{scheme}:// is no scheme of PostgreSQL; {how}")
    try:
        port = conninfo_to_dict(dsn(url)).get("port") or "5432"
    except (ProgrammingError, OperationalError):
        raise ValueError(f"it cannot be read as a URL of PostgreSQL; {how}") from None
    if not all(one.isdecimal() and 0 < int(one) < 65536 for one in str(port).split(",")):
        raise ValueError(f"the port is not a number from 1 to 65535; {how}")
    return url
