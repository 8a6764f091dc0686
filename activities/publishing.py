"""Publishing: seals the archive of a sub-order, once, and makes it visible."""

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities.settling import AlreadySettled, Superseded
from models.errors import Failure, FailureCode
from models.messages import Publication, SubOrderResult
from models.packaging import delivered, layout_of
from models.queries import orders
from models.queries import suborders as queries
from models.status_facts import RELEASED_SUBORDERS, UNSETTLED_SUBORDERS
from models.suborder import SUBORDER_TRANSITIONS, SubOrderState
from models.tables import SubOrder
from services.archive_contents import contents_of
from temporal.heartbeat import heartbeating

_SINCE = SUBORDER_TRANSITIONS[SubOrderState.READY] - UNSETTLED_SUBORDERS - RELEASED_SUBORDERS
"""What may have become of a sub-order since it was published, while the activity's answer was lost."""


@dataclass(frozen=True)
class PublishingActivities:
    """Makes staged sub-orders ready."""

    sessions: async_sessionmaker[AsyncSession]

    @activity.defn
    @heartbeating()
    async def publish_suborder(self, publication: Publication) -> SubOrderResult:
        """Lay the archive out and publish it; a sub-order none of whose files can be delivered has failed."""
        order_id, number = publication.order_id, publication.number
        async with self.sessions.begin() as session:
            order = (await session.execute(orders.order_by_id(order_id))).scalar_one()
            contents = await contents_of(session, order_id, number)
        there = len(delivered(contents.files))
        layout = await asyncio.to_thread(layout_of, order.number, number, *contents) if there else None
        state = SubOrderState.READY if layout else SubOrderState.FAILED
        size, etag = (layout.total_bytes, layout.etag) if layout else (None, None)
        change = queries.publish(order_id, number, publication.attempt, state=state, archive_bytes=size, etag=etag)
        async with self.sessions.begin() as session:
            if (await session.execute(change)).one_or_none() is None:
                found = (await session.execute(orders.suborder(order_id, number))).scalar_one()
                newest = found.attempt == publication.attempt
                if newest and found.state in _SINCE:
                    return _as_published(found, await _failure(session, publication))
                # Under the newest number only an order that is over refuses; so the number tells the two apart.
                raise AlreadySettled if newest or found.state in RELEASED_SUBORDERS else Superseded
            failure = await _failure(session, publication)
        return SubOrderResult(
            number=number,
            state=state,
            available=there,
            failed=len(contents.files) - there,
            archive_bytes=size or 0,
            failure=failure,
        )


async def _failure(session: AsyncSession, publication: Publication) -> Failure | None:
    """Why most of the sub-order's failed files have failed; None where none has."""
    commonest = orders.commonest_failure_of(publication.order_id, publication.number)
    code, text = (await session.execute(commonest)).one_or_none() or (None, None)
    return None if code is None else Failure(code=FailureCode(code), text=text or "")


def _as_published(found: SubOrder, failure: Failure | None) -> SubOrderResult:
    """What an earlier try under the same number has made: downloaded since, or failed for files that were lost."""
    state = SubOrderState.READY if found.state == SubOrderState.DOWNLOADED else SubOrderState.FAILED
    return SubOrderResult(
        number=found.number,
        state=state,
        available=found.files_available,
        failed=found.files_failed,
        archive_bytes=found.archive_bytes or 0,
        failure=failure,
    )
