"""Which location holds threads of a worker, beside the metrics that Temporal's SDK offers."""

import asyncio
from collections.abc import Iterable

from temporalio.common import MetricAttributes
from temporalio.runtime import Runtime

from storage.pool import Held, StoragePool

_EVERY = 5.0


async def report_threads(runtime: Runtime, pools: Iterable[StoragePool]) -> None:
    """Report the threads of the pools for ever, every few seconds."""
    text = "Threads that wait for a storage or a destination: running, given up, or what waits for one."
    gauge = runtime.metric_meter.create_gauge("consignor_storage_threads", text)
    known: dict[tuple[str, str], Held] = {}
    while True:
        found = {(pool.name, one.key): held for pool in pools for one, held in pool.held().items()}
        # What holds nothing any more is told once more, as nothing.
        for (pool_name, location), held in {**dict.fromkeys(known, Held()), **found}.items():
            for state, count in held._asdict().items():
                labels: MetricAttributes = {"pool": pool_name, "location": location, "state": state}
                gauge.set(count, labels)
        known = found
        await asyncio.sleep(_EVERY)
