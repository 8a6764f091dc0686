"""What all tests share: one PostgreSQL and one Temporal for each test process, real ones both."""

import gc
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from cli.dev.binaries import temporal_binary
from cli.dev.postgres import EmbeddedPostgres
from cli.dev.temporal import temporal_dev
from database.engine import make_engine, make_sessions
from temporal.converter import DATA_CONVERTER
from tests.databases import Databases, truncate

# How long an example takes says something of the machine and of what else it does, and nothing of the code.
settings.register_profile("consignor", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("consignor")

LONG_ONES = (
    "test_outages", "test_end_to_end", "test_killed_workers", "test_bench_facade", "test_dev_stack",
    "test_order_command", "test_generated_clients", "test_stac_clients", "test_download_tools", "test_contract_fuzz",
    "test_lifecycle_machine", "test_long_orders", "test_order", "test_bulk",
)  # fmt: skip
"""Modules that take half a minute and more: begun last, they would leave the other processes without work."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the long modules first; the others as they are."""
    items.sort(key=lambda item: item.path.stem not in LONG_ONES)


def pytest_collection_finish() -> None:
    """What has been imported and collected stays: no garbage collection needs to look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The settings and logins of whoever runs the tests are not theirs: nobody's database may be touched."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            # PG_BIN says with whose programs the tests run their own server, not where somebody else's is.
            if (name != "PG_BIN" and name.startswith(("CONSIGNOR_", "TEMPORAL_", "PG"))) or name == "DATABASE_URL":
                patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def postgres(own_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of this test process's own."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: EmbeddedPostgres) -> Databases:
    """The way to further databases, for tests that change the schema or need two."""
    made = Databases(postgres)
    made.migrate_template()
    return made


@pytest.fixture(scope="session")
def database_url(databases: Databases) -> str:
    """The migrated database that the tests of this process share."""
    return databases.migrated("consignor")


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the shared database, whatever is in it."""
    made = make_engine(database_url)
    yield made
    await made.dispose()


@pytest.fixture
async def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions on the shared database, emptied for this test."""
    await truncate(engine)
    return make_sessions(engine)


@pytest.fixture(scope="session")
async def temporal(own_environment: None) -> AsyncIterator[WorkflowEnvironment]:
    """A real dev server as temporal-dev.yaml wants it, whose workflows' clocks can be moved with `fast_forward`."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        data_converter=DATA_CONVERTER,
        dev_server_existing_path=str(temporal_binary()),
        dev_server_extra_args=[
            *temporal_dev().registrations,
            *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"),
        ],
    ) as environment:
        yield environment
