"""What API and worker say at their start of a database that is not ready."""

import pytest
from structlog.testing import capture_logs

from cli.errors import CommandFailed
from cli.runtime.api_server import tell_of_database
from cli.runtime.loading import from_environment
from cli.runtime.settings import Settings
from cli.runtime.worker import DatabaseWatch
from database.readiness import DatabaseFacts, Unready
from tests.databases import Databases


def of(url: str) -> Settings:
    return Settings().model_copy(update={"database_url": url})


def test_an_api_starts_on_a_database_without_tables_and_says_what_to_do(databases: Databases) -> None:
    with capture_logs() as logs:
        tell_of_database(of(databases.empty("before_migrations")))
    (line,) = logs
    assert line["remedy"] == "run `consignor migrate`"


def test_an_api_on_a_database_that_is_ready_says_nothing(database_url: str) -> None:
    with capture_logs() as logs:
        tell_of_database(of(database_url))
    assert logs == []


async def test_a_worker_that_waits_for_its_database_says_why_once_for_each_reason(databases: Databases) -> None:
    url = databases.empty("worker_before_migrations")
    with capture_logs() as logs:
        watch = DatabaseWatch(url)
        assert await watch.look() is None
        assert await watch.look() is None
        assert await DatabaseWatch("postgresql://u:hidden@127.0.0.1:1/orders").look() is None
    first, second = logs
    assert first["remedy"] == "run `consignor migrate`"
    assert second["remedy"].startswith("start PostgreSQL there")
    assert "hidden" not in str(second)


async def test_a_worker_that_has_waited_for_half_a_minute_says_so_again() -> None:
    watch = DatabaseWatch("postgresql://unused/orders")
    unready = Unready("not_migrated", "no tables", "run `consignor migrate`")
    with capture_logs() as logs:
        for now in (0.0, 29.0, 31.0, 40.0, 62.0):
            watch.tell(unready, now)
    assert len(logs) == 3


def test_a_postgresql_that_is_too_old_ends_the_start() -> None:
    unready = DatabaseFacts(14, "14.19", None).unready("0022")
    assert unready is not None
    with pytest.raises(CommandFailed, match=r"PostgreSQL 14\.19 is too old; PostgreSQL 15 or newer is needed"):
        DatabaseWatch("postgresql://unused/orders").tell(unready, 0.0)


@pytest.mark.parametrize("url", ["mysql://u:hidden@host/x", "postgresql://u:hidden@host:port/x", "host/x"])
def test_a_mistyped_database_is_one_line_that_names_its_variable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(CommandFailed, match=r"^DATABASE_URL: .*postgresql://user:password@host:5432/name") as refused:
        from_environment()
    assert "hidden" not in str(refused.value)
    assert "\n" not in str(refused.value)
