"""Purging: what was deleted, and the bulks that have ended, leave when their retention is over."""

from datetime import UTC, datetime, timedelta

from models.tables import Bulk, BulkItem
from services.retention import purge_orders
from tests.factories import Sessions
from tests.services.catalogue_sources import rows

DAY = timedelta(days=1)


async def test_bulks_that_ended_long_ago_are_forgotten_with_their_orders_results(
    sessions: Sessions, database_url: str
) -> None:
    now = datetime.now(UTC)
    async with sessions.begin() as session:
        for reason, ended in (("old", now - 3 * DAY), ("young", now - DAY), ("running", None)):
            bulk = Bulk(customer="maria", actor="customer:maria", command="cancel", reason=reason, finished_at=ended)
            bulk.total = bulk.done = 1
            session.add(bulk)
            await session.flush()
            session.add(BulkItem(bulk_id=bulk.id, order_id=bulk.id, result="done"))
    assert await purge_orders(database_url, 2 * DAY) == []
    assert await rows(sessions, "SELECT reason FROM bulks ORDER BY reason") == ["running", "young"]
    assert await rows(sessions, "SELECT count(*) FROM bulk_items") == [2]
