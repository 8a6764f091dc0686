"""How our processes connect and log, shared by worker and API."""

import logging
import sys

import structlog
from structlog.typing import EventDict
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from cli.runtime.settings import temporal_config
from models.text import shown
from temporal.converter import DATA_CONVERTER


def configure_logs(level: str) -> None:
    """One JSON line an event, or readable lines on a terminal."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderers = [_harmless, plain] if sys.stderr.isatty() else [structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(_HarmlessFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=library_level(level), handlers=[handler])


def library_level(level: str) -> int:
    """The level of all that is not ours, INFO or higher: below it libraries write whole requests, headers and keys."""
    return max(logging.INFO, logging.getLevelNamesMapping()[level.upper()])


def _harmless(_: object, __: str, event: EventDict) -> EventDict:
    """Escape what a terminal would obey; a traceback keeps its lines."""
    return {key: _lines_shown(value) if isinstance(value, str) else value for key, value in event.items()}


class _HarmlessFormatter(logging.Formatter):
    """Formats what libraries log, whatever names and messages of others are in it."""

    def format(self, record: logging.LogRecord) -> str:
        return _lines_shown(super().format(record))


def _lines_shown(text: str) -> str:
    return "\n".join(map(shown, text.split("\n")))


async def temporal_client(*, lazy: bool, runtime: Runtime | None = None) -> Client:
    """A client; a lazy one connects when it is first used, so that Temporal may come later, or come back."""
    return await Client.connect(**temporal_config(), data_converter=DATA_CONVERTER, lazy=lazy, runtime=runtime)


def runtime_with_metrics(address: str | None) -> Runtime | None:
    """The SDK's runtime, offering its metrics to Prometheus at `address`; None, the default one, without."""
    if address is None:
        return None
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))
