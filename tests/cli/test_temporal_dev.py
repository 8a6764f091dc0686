"""temporal-dev.yaml is obeyed on the first start and on every other one."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
import yaml
from pydantic import ValidationError
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from cli.dev.ports import any_free
from cli.dev.temporal import TemporalDev, connect, ensure, has_pollers, temporal_dev
from temporal.search_attributes import ALL, register


@asynccontextmanager
async def served(settings: TemporalDev, folder: Path) -> AsyncIterator[Client]:
    port = any_free()
    server = await anyio.open_process(
        settings.command(port=port, ui_port=any_free()), cwd=folder, stdout=subprocess.DEVNULL, stderr=None
    )
    try:
        yield await connect(f"127.0.0.1:{port}", settings.namespace)
    finally:
        server.terminate()
        await server.wait()


async def attributes_of(client: Client) -> set[str]:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    return set((await client.operator_service.list_search_attributes(request)).custom_attributes)


async def retention_of(client: Client) -> timedelta:
    request = DescribeNamespaceRequest(namespace=client.namespace)
    answer = await client.workflow_service.describe_namespace(request)
    return answer.config.workflow_execution_retention_ttl.ToTimedelta()


async def test_an_old_database_file_gets_what_the_settings_gained(tmp_path: Path) -> None:
    full = temporal_dev()
    poor = full.model_copy(update={"search_attributes": {"ConsignorStatus": "Keyword"}, "retention_days": 1})
    async with served(poor, tmp_path) as client:
        await ensure(client, poor)
        assert "ConsignorBytes" not in await attributes_of(client)
    async with served(full, tmp_path) as client:
        await ensure(client, full)
        await ensure(client, full)
        assert set(full.search_attributes) <= await attributes_of(client)
        assert await retention_of(client) == timedelta(days=full.retention_days)
    assert (tmp_path / full.database).exists()


async def test_a_namespace_that_lacks_search_attributes_gets_them_once(tmp_path: Path) -> None:
    poor = temporal_dev().model_copy(update={"search_attributes": {"ConsignorStatus": "Keyword"}})
    async with served(poor, tmp_path) as client:
        await ensure(client, poor)
        assert set(await register(client)) == {key.name for key in ALL} - {"ConsignorStatus"}
        assert {key.name for key in ALL} <= await attributes_of(client)
        assert await register(client) == []


def test_the_settings_of_the_dev_stack_name_each_search_attribute_with_its_type() -> None:
    kinds = {key.name: key.indexed_value_type.name.title().replace("_", "") for key in ALL}
    assert temporal_dev().search_attributes == kinds


async def test_a_renamed_namespace_is_made_in_an_old_file(tmp_path: Path) -> None:
    old = temporal_dev().model_copy(update={"namespace": "before", "search_attributes": {}})
    async with served(old, tmp_path):
        pass
    new = old.model_copy(update={"namespace": "after"})
    async with served(new, tmp_path) as client:
        await ensure(client, new)
        assert await retention_of(client) == timedelta(days=new.retention_days)


async def test_a_queue_that_nobody_polls_has_no_pollers(temporal: WorkflowEnvironment) -> None:
    assert not await has_pollers(temporal.client, "nobody")


async def test_the_tests_server_knows_the_search_attributes(temporal: WorkflowEnvironment) -> None:
    assert set(temporal_dev().search_attributes) <= await attributes_of(temporal.client)


def test_an_unknown_key_is_refused() -> None:
    text = (Path(__file__).parents[2] / "temporal-dev.yaml").read_text()
    with pytest.raises(ValidationError, match="retension_days"):
        TemporalDev.model_validate({**yaml.safe_load(text), "retension_days": 3})


def test_no_type_of_search_attribute_is_used_more_often_than_sqlite_allows() -> None:
    kinds = list(temporal_dev().search_attributes.values())
    assert kinds.count("Keyword") <= 10
    assert all(kinds.count(kind) <= 3 for kind in set(kinds) - {"Keyword"})


def test_the_command_is_loopback_only_and_silent_about_news() -> None:
    command = temporal_dev().command(port=1, ui_port=2)
    assert command[command.index("--ip") + 1] == "127.0.0.1"
    assert "--ui-disable-news-fetch" in command
    assert str(Path(sys.executable).with_name("temporal")) in command
