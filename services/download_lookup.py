"""Finds what is to be downloaded, or says why it is not there: not yet, not any more, or never."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.credentials import Grant, access_token_of
from models.errors import (
    Failure,
    FailureCode,
    FileFailed,
    Forbidden,
    Gone,
    LinkRefused,
    NotFound,
    NotReady,
    Unauthenticated,
)
from models.links import LinkKeys, grant_in
from models.order import OrderStatus
from models.queries import downloads, orders, users
from models.status_facts import AVAILABLE_SUBORDERS, RELEASED_AS, RELEASED_SUBORDERS, UNPLANNED
from models.suborder import FileState, SubOrderState
from models.tables import Order, OrderFile, SubOrder
from services.credentials import caller_of_grant
from services.order_lookup import say_in_logs

_LARGEST = {4: 2**31, 8: 2**63}


async def linked_order(
    session: AsyncSession, keys: LinkKeys, link: str, path: str, order_id: UUID, now: datetime
) -> Order:
    """The order of a signed link. Raises LinkRefused, NotFound, or Gone when the order's time is up.

    It opens while its maker may see the order, by what they showed when they made it unless that merely ran out.
    """
    if not keys.opens(link, path):
        raise LinkRefused
    order = (await session.execute(orders.order_by_id(order_id))).scalar_one_or_none()
    if order is None or order.status == OrderStatus.DELETED:
        raise NotFound("order", order_id)
    say_in_logs(order)
    if order.expires_at is not None and order.expires_at <= now:
        raise Gone(f"the links of {order.number} have expired with it; order its files again to get them")
    await _require_maker(session, link, order)
    return order


async def link_still_opens(session: AsyncSession, link: str, order_id: UUID) -> bool:
    """Whether a link that has opened still does, but for its time. Raises LinkRefused where it was revoked."""
    order = (await session.execute(orders.order_by_id(order_id))).scalar_one_or_none()
    if order is None:
        return False
    await _require_maker(session, link, order)
    return True


async def _require_maker(session: AsyncSession, link: str, order: Order) -> None:
    """Raise LinkRefused where a link was revoked, or its maker may not see the order any more."""
    grant = Grant.of_text(grant_in(link), order.customer)
    if not grant.outlives(order.links_revoked_at):
        raise LinkRefused("the links of this order have been revoked")
    try:
        maker = await caller_of_grant(session, grant)
    except (Unauthenticated, Forbidden) as ended:
        raise LinkRefused(str(ended)) from None
    if maker.visibility.customer not in {None, order.customer}:
        raise LinkRefused("whoever made it may not see this order any more")


async def link_grant(session: AsyncSession, caller: Caller, order: Order) -> str:
    """In whose name the links open that the caller gets of an order now; the same until something is revoked."""
    user = (await session.execute(users.user_by_id(caller.customer))).scalar_one_or_none()
    revoked = [at for at in (order.links_revoked_at, user.signed_out_at if user else None) if at is not None]
    grant = Grant(caller.customer, max(revoked, default=None), access_token_of(caller.credential))
    return grant.as_text(order.customer)


async def downloadable_archive(session: AsyncSession, order: Order, number: int) -> SubOrder:
    """The sub-order, if it can be downloaded. Raises NotFound, Gone or NotReady."""
    suborder = None
    if 0 < number < _LARGEST[4]:
        suborder = (await session.execute(orders.suborder(order.id, number))).scalar_one_or_none()
    if suborder is None:
        raise _missing(order, "sub-order", number)
    _require_kept(suborder)
    if suborder.state == SubOrderState.FAILED:
        lost = bool(suborder.files_available)
        why = "some of its files changed before it was downloaded" if lost else "none of its files could be delivered"
        raise Gone(f"sub-order {number} has failed: {why}; retry the order to have it made again")
    if suborder.state not in AVAILABLE_SUBORDERS or suborder.archive_etag is None:
        raise NotReady(f"sub-order {number} is not ready yet")
    return suborder


async def downloadable_file(session: AsyncSession, order: Order, key: int | UUID) -> tuple[OrderFile, SubOrder]:
    """A file that can be downloaded, and its sub-order. Raises NotFound, Gone, FileFailed or NotReady."""
    row = None
    if isinstance(key, UUID) or 0 < key < _LARGEST[8]:
        row = (await session.execute(downloads.file_of(order.id, key))).one_or_none()
    if row is None:
        raise _missing(order, "file", key)
    file, suborder = row
    _require_kept(suborder)
    if file.state == FileState.FAILED:
        raise FileFailed(Failure(code=FailureCode(file.failure_code or ""), text=file.failure_text or ""))
    # A sub-order that failed because one of its files was lost still has the others.
    if file.state == FileState.PENDING or suborder.state not in AVAILABLE_SUBORDERS | {SubOrderState.FAILED}:
        raise NotReady(f"{file.path} is not ready yet")
    return file, suborder


async def require_planned(session: AsyncSession, order: Order) -> None:
    """Raise NotReady or Gone where an order has no files to list, yet or any more."""
    if order.status in RELEASED_AS:
        raise Gone(f"{order.number} is {order.status}; order its files again to get them")
    if not (await session.execute(downloads.is_planned(order.id))).scalar_one():
        if order.status in UNPLANNED | {OrderStatus.DRAFT}:
            raise NotReady(f"{order.number} is {order.status}: its files are not planned yet")
        raise Gone(f"{order.number} is {order.status} and has no files to download")


def _require_kept(suborder: SubOrder) -> None:
    if suborder.state in RELEASED_SUBORDERS:
        raise Gone(f"sub-order {suborder.number} is {suborder.state}; order its files again to get them")


def _missing(order: Order, noun: str, key: object) -> Exception:
    """Why an order has no such part: too early to say, too late, or there is none."""
    if order.status in UNPLANNED:
        return NotReady(f"{order.number} is {order.status}: its sub-orders are not planned yet")
    if order.status in RELEASED_AS:
        return Gone(f"{order.number} is {order.status}; order its files again to get them")
    return NotFound(noun, key)
