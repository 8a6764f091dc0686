"""How our processes connect and log, shared by worker and API."""

import logging
import sys

import structlog
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from cli.runtime.settings import temporal_config
from temporal.converter import DATA_CONVERTER


def configure_logs(level: str) -> None:
    """One JSON line an event, or readable lines on a terminal."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    shown = plain if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=level.upper(), format="%(levelname)s %(name)s %(message)s")


async def temporal_client(*, lazy: bool, runtime: Runtime | None = None) -> Client:
    """A client; a lazy one connects when it is first used, so that Temporal may come later, or come back."""
    return await Client.connect(**temporal_config(), data_converter=DATA_CONVERTER, lazy=lazy, runtime=runtime)


def runtime_with_metrics(address: str | None) -> Runtime | None:
    """The SDK's runtime, offering its metrics to Prometheus at `address`; None, the default one, without."""
    if address is None:
        return None
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))
