"""A database that cannot be worked with is named in a line, with what to do about it."""

import pytest

from database.readiness import DatabaseFacts, Unready, check, check_url, unavailable
from migrations.head import head
from tests.databases import Databases


async def test_a_migrated_database_is_ready(database_url: str) -> None:
    assert await check(database_url, head()) is None


async def test_an_empty_database_is_to_be_migrated(databases: Databases) -> None:
    unready = await check(databases.empty("never_migrated"), head())
    assert unready == Unready("not_migrated", "the database has no tables of Consignor yet", "run `consignor migrate`")


async def test_a_database_that_is_not_there_is_to_be_created(databases: Databases) -> None:
    unready = await check(databases.server.url("misspelt"), head())
    assert unready is not None
    assert 'database "misspelt" does not exist' in unready.reason
    assert "createdb" in unready.remedy


async def test_a_wrong_password_and_an_absent_server_have_remedies_of_their_own(databases: Databases) -> None:
    refused = await check(databases.server.tcp_url().replace("consignor:", "consignor:wrong-"), head())
    absent = await check("postgresql://somebody:secret@127.0.0.1:1/orders", head())
    assert refused is not None
    assert absent is not None
    assert refused.remedy == "correct the user and password"
    assert absent.remedy.startswith("start PostgreSQL there")
    assert "secret" not in str(absent)
    assert "wrong-" not in str(refused)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (DatabaseFacts(14, "14.19", None), "too_old"),
        (DatabaseFacts(14, "14.19", "0022"), "too_old"),
        (DatabaseFacts(15, "15.1", None), "not_migrated"),
        (DatabaseFacts(18, "18.6", "0021"), "not_migrated"),
        (DatabaseFacts(18, "18.6", "0022"), None),
        (DatabaseFacts(18, "18.6", "0023"), None),
    ],
)
def test_what_a_server_says_of_itself_decides(facts: DatabaseFacts, code: str | None) -> None:
    unready = facts.unready("0022")
    assert (unready and unready.code) == code


@pytest.mark.parametrize(
    "said",
    [
        "failed to resolve host 'nohost.invalid': [Errno -2] Name or service not known",
        'connection failed: FATAL:  no pg_hba.conf entry for host "192.0.2.7", user "u"',
        "FATAL:  sorry, too many clients already\nMultiple connection attempts failed.",
        "",
    ],
)
def test_whatever_the_driver_says_becomes_one_line(said: str) -> None:
    unready = unavailable(RuntimeError(said))
    assert unready.reason
    assert unready.remedy
    assert "\n" not in str(unready)


@pytest.mark.parametrize(
    "url",
    [
        "orders",
        "mysql://u:hidden@host/orders",
        "postgresql+asyncpg://u:hidden@host/orders",
        "postgresql://u:hidden@host:many/orders",
        "postgresql://u:hidden@host:70000/orders",
        "postgresql://u:hidden%zz@host/orders",
        "postgresql://u:hid/den@host/orders",
        "postgresql://u:hidden@host/orders?colour=red",
    ],
)
def test_what_is_no_url_of_postgresql_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://user:password@host:5432/name") as refused:
        check_url(url)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:password@host/orders",
        "postgresql+psycopg://[::1]:5433/orders",
        "postgresql://consignor@/orders?host=/tmp/x&port=1",
        "postgresql://one:5432,two:5432/orders?target_session_attrs=read-write",
    ],
)
def test_urls_of_postgresql_are_taken(url: str) -> None:
    assert check_url(url) == url
