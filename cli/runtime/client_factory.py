"""How our processes connect, shared by worker and API."""

from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from cli.runtime.loading import temporal_config
from temporal.converter import DATA_CONVERTER


async def temporal_client(*, lazy: bool, runtime: Runtime | None = None) -> Client:
    """A client; a lazy one connects when it is first used, so that Temporal may come later, or come back."""
    return await Client.connect(**temporal_config(), data_converter=DATA_CONVERTER, lazy=lazy, runtime=runtime)


def runtime_with_metrics(address: str | None) -> Runtime | None:
    """The SDK's runtime, offering its metrics to Prometheus at `address`; None, the default one, without."""
    if address is None:
        return None
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))
