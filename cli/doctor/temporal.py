"""What the servers depend on in Temporal: the namespace, its search attributes, and workers that ask for tasks."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.doctor.finding import Finding
from temporal.queues import task_queues
from temporal.search_attributes import ALL

if TYPE_CHECKING:
    from temporalio.envconfig import ClientConnectConfig

PATIENCE = 5.0


async def look_at_temporal(config: "ClientConnectConfig") -> AsyncIterator[Finding]:
    """Look at everything of Temporal that a start needs, as far as it can be seen."""
    address = config.get("target_host", "")
    try:
        async with asyncio.timeout(PATIENCE):
            client = await Client.connect(**config)
    except (RuntimeError, RPCError, TimeoutError) as error:
        # The SDK gives the whole error of its Rust core, of which the innermost message is for people.
        innermost = re.findall(r'message: "([^"]+)"', str(error))
        text = f"{address} does not answer ({innermost[-1] if innermost else str(error) or 'no connection'})"
        yield Finding.failed("Temporal", text, "start it, or correct TEMPORAL_ADDRESS and its TLS settings")
        return
    yield Finding.ok("Temporal", address)
    namespace = await _namespace(client)
    yield namespace
    if namespace.remedy is None:
        yield await _search_attributes(client)
        yield await _workers(client)


async def _namespace(client: Client) -> Finding:
    name = client.namespace
    try:
        async with asyncio.timeout(PATIENCE):
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            make = f"`temporal operator namespace create --retention 30d -n {name}`, or correct TEMPORAL_NAMESPACE"
            return Finding.failed("Namespace", f"{name} is not there", make)
        return Finding.failed("Namespace", f"{name}: {error.message}", "let these credentials use it")
    except TimeoutError:
        return Finding.failed("Namespace", f"{name}: no answer", "look at Temporal's own health")
    return Finding.ok("Namespace", name)


async def _search_attributes(client: Client) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            request = ListSearchAttributesRequest(namespace=client.namespace)
            there = (await client.operator_service.list_search_attributes(request)).custom_attributes
    except (RPCError, TimeoutError) as error:
        text = f"cannot be listed here ({error or 'no answer'})"
        return Finding.warning("Search attributes", text, "see that all are there, as docs/operating.md lists them")
    if lacking := [key.name for key in ALL if key.name not in there]:
        text = f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not there"
        return Finding.warning("Search attributes", text, "the next worker that starts adds them")
    return Finding.ok("Search attributes", f"all {len(ALL)} are there")


async def _workers(client: Client) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            queues = await task_queues(client)
    except (RPCError, RuntimeError, TimeoutError) as error:
        return Finding.broken_off("Workers", error if str(error) else RuntimeError("no answer"))
    if idle := sorted({queue for (queue, _), figures in queues.items() if not figures.pollers}):
        text = f"nobody works for {' and '.join(idle)}"
        return Finding.warning("Workers", text, "start one: `consignor worker`")
    return Finding.ok("Workers", "both queues are worked for")
