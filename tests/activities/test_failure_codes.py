"""Each category of failures, told apart by three codes at least: provoked for real, through the real activities."""

import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.failures import FailureInterceptor
from activities.staging import StagingActivities
from activities.validation import ValidationActivities
from cli.dev.ports import any_free
from database.engine import make_engine, make_sessions
from models.errors import FailureCode, category_of
from models.messages import OrderRef
from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from tests.activities.builders import (
    Sessions,
    attempt_of,
    files_in,
    first_of,
    moved,
    no_further_file,
    placed,
    planned,
    staged,
)
from tests.activities.test_delivery import to_folder

C = FailureCode
Work = Callable[[Any], Awaitable[Any]]

FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$
"""
WHEN_STAGING = "CREATE TRIGGER full_disk BEFORE UPDATE ON suborders EXECUTE FUNCTION full_disk()"
"""What PostgreSQL answers where its disk is full; to fill it really would take everybody's."""


class Innermost(ActivityInboundInterceptor):
    """The end of the chain: the activity itself."""

    def __init__(self) -> None:
        """Nothing comes after it."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        return await input.fn(*input.args)


async def told(work: Work, argument: object) -> ApplicationError:
    """What Temporal is told of an activity that fails."""
    chain = FailureInterceptor().intercept_activity(Innermost())
    given = ExecuteActivityInput(fn=work, args=[argument], executor=None, headers={})
    with pytest.raises(ApplicationError) as caught:
        await attempt_of(1).run(chain.execute_activity, given)
    return caught.value


@contextmanager
def no_room(room: int) -> Iterator[None]:
    """This process can write no file beyond so many bytes, until the end of the block."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


async def too_many_open_files(sessions: Sessions, root: Path) -> ApplicationError:
    order = await planned(sessions, root)
    with no_further_file():
        return await told(StagingActivities(sessions).stage_files, first_of(order))


async def disk_full(sessions: Sessions, root: Path) -> ApplicationError:
    order = await planned(sessions, root)
    await said(sessions, FULL_DISK, WHEN_STAGING)
    try:
        return await told(StagingActivities(sessions).stage_files, first_of(order))
    finally:
        await said(sessions, "DROP FUNCTION full_disk CASCADE")


async def said(sessions: Sessions, *statements: str) -> None:
    """Tell PostgreSQL something that has no answer."""
    async with sessions.begin() as session:
        for statement in statements:
            await session.execute(sa.text(statement))


async def destination_full(sessions: Sessions, root: Path) -> ApplicationError:
    order, activities = await to_folder(sessions, root)
    with no_room(1000):
        return await told(activities.deliver_suborder, first_of(order))


async def source_unavailable(sessions: Sessions, root: Path) -> ApplicationError:
    archive = root / "archive"
    order = await placed(sessions, archive)
    moved(archive, "away")
    return await told(ValidationActivities(sessions).validate_order, OrderRef(order_id=order.id))


async def source_busy(sessions: Sessions, root: Path) -> ApplicationError:
    order, pool = await planned(sessions, root), StoragePool("staging", 2, room=1)
    pool.ask(Bulkhead.of_source(str(root)))
    return await told(StagingActivities(sessions, pool=pool).stage_files, first_of(order))


async def database_unavailable(sessions: Sessions, root: Path) -> ApplicationError:
    order = await planned(sessions, root)
    engine = make_engine(f"postgresql://nobody@127.0.0.1:{any_free()}/nothing")
    try:
        return await told(StagingActivities(make_sessions(engine)).stage_files, first_of(order))
    finally:
        await engine.dispose()


async def destination_unavailable(sessions: Sessions, root: Path) -> ApplicationError:
    order, activities = await to_folder(sessions, root)
    moved(root / "exports", "away")
    return await told(activities.deliver_suborder, first_of(order))


PROVOKED = {
    C.TOO_MANY_OPEN_FILES: too_many_open_files,
    C.DISK_FULL: disk_full,
    C.DESTINATION_FULL: destination_full,
    C.SOURCE_UNAVAILABLE: source_unavailable,
    C.SOURCE_BUSY: source_busy,
    C.DATABASE_UNAVAILABLE: database_unavailable,
    C.DESTINATION_UNAVAILABLE: destination_unavailable,
}


@pytest.mark.parametrize("code", PROVOKED)
async def test_what_may_pass_is_told_by_its_code_and_tried_again(
    sessions: Sessions, tmp_path: Path, code: FailureCode
) -> None:
    failure = await PROVOKED[code](sessions, tmp_path)
    assert (failure.type, failure.non_retryable) == (code, False)


async def test_what_does_not_pass_fails_its_file_and_is_not_tried_again(sessions: Sessions, tmp_path: Path) -> None:
    order = await planned(sessions, tmp_path, {"s": {f"{n}.tif": b"content" for n in range(4)}})
    folder = tmp_path / "s"
    (folder / "0.tif").unlink()
    (folder / "1.tif").write_bytes(b"short")
    (folder / "2.tif").write_bytes(b"CONTENT")
    (folder / "3.tif").unlink()
    (folder / "3.tif").symlink_to("/etc/passwd")
    assert (await staged(sessions, order)).failed == 4
    codes = [FailureCode(code) for code in await files_in(sessions, "failure_code")]
    assert codes == [C.SOURCE_MISSING, C.SIZE_MISMATCH, C.CHECKSUM_MISMATCH, C.SOURCE_FORBIDDEN]
    assert {category_of(code).value for code in codes} == {"configuration"}


def test_at_least_three_codes_of_each_category_that_may_pass_are_provoked_here() -> None:
    categories = [category_of(code).value for code in PROVOKED]
    assert {name: categories.count(name) for name in set(categories)} == {"capacity": 4, "infrastructure": 3}
