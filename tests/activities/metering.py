"""Activities whose metrics are looked at."""

from collections import Counter

from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig
from temporalio.testing import ActivityEnvironment

from tests.activities.builders import attempt_of


def metered(buffer: MetricBuffer) -> ActivityEnvironment:
    """An attempt whose metrics go to this buffer."""
    environment = attempt_of(1)
    environment.metric_meter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter
    return environment


def counted(buffer: MetricBuffer) -> Counter[tuple[str, object]]:
    """What has been counted since the last look, by metric and outcome."""
    found: Counter[tuple[str, object]] = Counter()
    for update in buffer.retrieve_updates():
        found[update.metric.name, update.attributes.get("outcome")] += int(update.value)
    return found
