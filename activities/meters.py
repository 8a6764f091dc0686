"""What a worker counts for Prometheus, beside the metrics that Temporal's SDK offers."""

from collections import Counter
from collections.abc import Sequence

from temporalio import activity

from activities.settling import SettledFile

FILES, BYTES = "consignor_files_staged_total", "consignor_bytes_staged_total"
STARTED, REVIVED = "consignor_workflows_started_total", "consignor_workflows_revived_total"


def count_staged(files: Sequence[SettledFile]) -> None:
    """Count files that have settled, and their bytes, by what became of them: `read`, `known`, or a failure's code."""
    numbers, sizes = Counter[str](), Counter[str]()
    for file in files:
        outcome = file.failure.code.value if file.failure else "read" if file.was_read else "known"
        numbers[outcome] += 1
        sizes[outcome] += file.size_bytes
    for name, text, counts in (
        (FILES, "Files of orders that were proven or have failed.", numbers),
        (BYTES, "Their bytes.", sizes),
    ):
        counter = activity.metric_meter().create_counter(name, text)
        for outcome, count in counts.items():
            counter.add(count, {"outcome": outcome})


def count_started(count: int) -> None:
    """Count workflows of orders that the reconciler started because the API could not."""
    activity.metric_meter().create_counter(STARTED, "Workflows that the reconciler started first.").add(count)


def count_revived(count: int) -> None:
    """Count workflows of orders that the reconciler started again because they had ended or were lost."""
    activity.metric_meter().create_counter(REVIVED, "Workflows that the reconciler started again.").add(count)
