"""What workers count: once for each file that settles."""

from pathlib import Path

from temporalio.runtime import MetricBuffer

from activities.meters import BYTES, FILES
from activities.staging import StagingActivities
from tests.activities.builders import Sessions, first_of, planned
from tests.activities.metering import counted, metered


async def test_files_and_bytes_are_counted_once_by_what_became_of_them(sessions: Sessions, tmp_path: Path) -> None:
    order = await planned(sessions, tmp_path)
    (tmp_path / "s1" / "a.tif").unlink()
    buffer = MetricBuffer(1_000)
    environment = metered(buffer)
    await environment.run(StagingActivities(sessions).stage_files, first_of(order))
    assert counted(buffer) == {
        (FILES, "read"): 2,
        (BYTES, "read"): 5_000,
        (FILES, "source_missing"): 1,
        (BYTES, "source_missing"): 1_000,
    }
    await environment.run(StagingActivities(sessions).stage_files, first_of(order))
    assert counted(buffer) == {}
