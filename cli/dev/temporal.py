"""The dev stack's Temporal: its settings file, its command line, and what must hold after every start."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt

from cli.dev.binaries import dying_with_parent, temporal_binary

if TYPE_CHECKING:
    from temporalio.client import Client

# A link to the file at the top of the checkout; a wheel carries the file itself here.
_SETTINGS_FILE = Path(__file__).with_name("temporal-dev.yaml")
_POLL = 0.05
_TRIES = 60

Answer = TypeVar("Answer")

AttributeType = Literal["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"]


class Ports(BaseModel):
    """The preferred ports; the next free ones are taken when they are busy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frontend: int
    ui: int


class TemporalDev(BaseModel):
    """What temporal-dev.yaml says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    ip: str
    ports: Ports
    database: str
    retention_days: PositiveInt
    sqlite: Mapping[str, str]
    search_attributes: Mapping[str, AttributeType]
    dynamic_config: Mapping[str, bool | int | float | str]

    @property
    def registrations(self) -> list[str]:
        """The command-line arguments that any dev server of ours gets, the tests' one too."""
        # Values of the dynamic configuration are JSON.
        dynamic = [f"{key}={json.dumps(value)}" for key, value in self.dynamic_config.items()]
        return [
            *_each("--search-attribute", self.search_attributes),
            *(part for pair in dynamic for part in ("--dynamic-config-value", pair)),
        ]

    def command(self, *, port: int, ui_port: int) -> list[str]:
        """The command that serves; to be run in the folder that is to hold the database file."""
        return [
            *dying_with_parent("TERM"),
            *(str(temporal_binary()), "server", "start-dev", "--ip", self.ip, "--log-level", "warn"),
            *("--port", str(port), "--ui-port", str(ui_port), "--ui-disable-news-fetch"),
            *("--db-filename", self.database, "--namespace", self.namespace),
            *_each("--sqlite-pragma", self.sqlite),
            *self.registrations,
        ]


def _each(flag: str, pairs: Mapping[str, str]) -> list[str]:
    return [part for key, value in pairs.items() for part in (flag, f"{key}={value}")]


def temporal_dev() -> TemporalDev:
    """The settings of the dev stack's Temporal."""
    return TemporalDev.model_validate(yaml.safe_load(_SETTINGS_FILE.read_text(encoding="utf-8")))


async def connect(address: str, namespace: str) -> "Client":
    """A client, as soon as the server answers."""
    from temporalio.client import Client

    from temporal.converter import DATA_CONVERTER

    while True:
        try:
            return await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER)
        except RuntimeError:
            # What the SDK raises while nothing listens; the caller sets the limit of patience.
            await asyncio.sleep(_POLL)


async def ensure(client: "Client", settings: TemporalDev) -> None:
    """Bring namespace, retention and search attributes to what the settings say.

    The server does so for a new database file only.
    """
    await _ensure_namespace(client, settings)
    await _ensure_search_attributes(client, settings)


async def has_pollers(client: "Client", queue: str) -> bool:
    """Whether a worker takes workflow tasks from the queue."""
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return bool(answer.pollers)


async def _ensure_namespace(client: "Client", settings: TemporalDev) -> None:
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.namespace.v1 import NamespaceConfig
    from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest, UpdateNamespaceRequest
    from temporalio.service import RPCError, RPCStatusCode

    retention = Duration()
    retention.FromTimedelta(timedelta(days=settings.retention_days))
    config = NamespaceConfig(workflow_execution_retention_ttl=retention)
    try:
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(namespace=settings.namespace, config=config)
        )
    except RPCError as refusal:
        if refusal.status is not RPCStatusCode.NOT_FOUND:
            raise
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(namespace=settings.namespace, workflow_execution_retention_period=retention)
        )


async def _ensure_search_attributes(client: "Client", settings: TemporalDev) -> None:
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest

    request = ListSearchAttributesRequest(namespace=settings.namespace)
    there = await _once_known(lambda: client.operator_service.list_search_attributes(request))
    missing = {
        name: IndexedValueType.Value(_indexed_value_type(kind))
        for name, kind in settings.search_attributes.items()
        if name not in there.custom_attributes
    }
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=settings.namespace, search_attributes=missing)
        )


async def _once_known(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer, as soon as the server's caches know a namespace that was registered a moment ago."""
    from temporalio.service import RPCError, RPCStatusCode

    for _ in range(_TRIES):
        try:
            return await ask()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            await asyncio.sleep(_POLL * 5)
    return await ask()


def _indexed_value_type(kind: str) -> str:
    return "INDEXED_VALUE_TYPE_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).upper()
