"""Queries for orders, their sub-orders, files and timelines."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.listing import Visibility
from models.order import FULFILLED, TERMINAL, Command, OrderStatus, past_tense
from models.packaging import PackedFile
from models.status_facts import RELEASABLE, UNSETTLED_SUBORDERS
from models.suborder import SubOrderState
from models.tables import Order, OrderFile, OrderFolder, OrderItem, SubOrder, TimelineRow
from models.tables.orders import HOLDS_LABEL
from models.text import folded as fold


def order_by_id(order_id: UUID) -> sa.Select[Order]:
    """One order, of any customer; for the workflow's own activities."""
    return sa.select(Order).where(col(Order.id) == order_id)


def workflow_kept_of(order_id: UUID) -> sa.Select[str | None]:
    """What `order_workflow_id` makes the id of an order's workflow of."""
    return sa.select(col(Order.kept_workflow_id)).where(col(Order.id) == order_id)


def order_of(visibility: Visibility, order_id: UUID) -> sa.Select[Order]:
    """One order that is visible; a deleted one is hidden from its owner."""
    found = order_by_id(order_id)
    if visibility.customer is None:
        return found
    return found.where(col(Order.customer) == visibility.customer, col(Order.status) != OrderStatus.DELETED)


def label_taken(customer: str, label: str) -> sa.Select[bool]:
    """Whether an order of a customer holds a label, however it is cased or composed."""
    folded = sa.func.folded(Order.label)
    return sa.select(sa.exists().where(col(Order.customer) == customer, folded == sa.func.folded(label), HOLDS_LABEL))


def labels_like(customer: str, label: str) -> sa.Select[str]:
    """The labels of a customer that begin like this one, folded."""
    folded = sa.func.folded(Order.label, type_=sa.Text)
    return sa.select(folded).where(
        col(Order.customer) == customer, folded.startswith(fold(label), autoescape=True), HOLDS_LABEL
    )


def items_of(order_id: UUID) -> sa.Select[OrderItem]:
    """The lines of an order."""
    return sa.select(OrderItem).where(col(OrderItem.order_id) == order_id).order_by(col(OrderItem.position))


def timeline_of(order_id: UUID, *, after: int = 0, limit: int) -> sa.Select[TimelineRow]:
    """A page of what happened to an order, in its order, behind the row numbered `after`."""
    query = sa.select(TimelineRow).where(col(TimelineRow.order_id) == order_id, col(TimelineRow.sequence) > after)
    return query.order_by(col(TimelineRow.sequence)).limit(limit)


def origin_of(order_id: UUID) -> sa.Select[str | None]:
    """The status before the present one; no row while there was only one."""
    return (
        sa.select(col(TimelineRow.status_before))
        .where(col(TimelineRow.order_id) == order_id, col(TimelineRow.status_before) != col(TimelineRow.status_after))
        .order_by(col(TimelineRow.sequence).desc())
        .limit(1)
    )


def last_told(order_id: UUID, words: Iterable[str]) -> sa.Select[str]:
    """The last of these things that the timeline tells; no row where it tells none."""
    query = sa.select(col(TimelineRow.what)).where(
        col(TimelineRow.order_id) == order_id, col(TimelineRow.what).in_(list(words))
    )
    return query.order_by(col(TimelineRow.sequence).desc()).limit(1)


def suborders_of(order_id: UUID, *, after: int = 0, limit: int | None = None) -> sa.Select[SubOrder]:
    """The sub-orders of an order, or a page of them behind the one numbered `after`."""
    query = sa.select(SubOrder).where(col(SubOrder.order_id) == order_id, col(SubOrder.number) > after)
    return query.order_by(col(SubOrder.number)).limit(limit)


def suborder(order_id: UUID, number: int) -> sa.Select[SubOrder]:
    """One sub-order."""
    return suborders_of(order_id).where(col(SubOrder.number) == number)


def suborder_states(order_ids: list[UUID]) -> sa.Select[UUID, str, int]:
    """How many sub-orders each of the orders has in each state."""
    return (
        sa.select(col(SubOrder.order_id), col(SubOrder.state), sa.func.count())
        .where(col(SubOrder.order_id).in_(order_ids))
        .group_by(col(SubOrder.order_id), col(SubOrder.state))
    )


def files_of(order_id: UUID, *, after: int = 0, limit: int) -> sa.Select[OrderFile]:
    """A page of an order's files, in their order, behind the one numbered `after`."""
    query = sa.select(OrderFile).where(col(OrderFile.order_id) == order_id, col(OrderFile.seq) > after)
    return query.order_by(col(OrderFile.seq)).limit(limit)


def packed_files(order_id: UUID, number: int) -> sa.Select[*tuple[Any, ...]]:
    """The files of a sub-order as columns of `PackedFile`, in the order of the archive."""
    columns = {name: getattr(OrderFile, name) for name in PackedFile._fields if name != "original"}
    columns["original"] = col(OrderFile.object_name) + "/" + col(OrderFile.name)
    return (
        sa.select(*(columns[name] for name in PackedFile._fields))
        .where(col(OrderFile.order_id) == order_id, col(OrderFile.suborder) == number)
        .order_by(col(OrderFile.seq))
    )


def packed_folders(order_id: UUID, number: int) -> sa.Select[str, str]:
    """The empty folders of a sub-order as columns of `PackedFolder`, in the order of the archive."""
    original = col(OrderFolder.object_name) + "/" + col(OrderFolder.name)
    return (
        sa.select(col(OrderFolder.path), original)
        .where(col(OrderFolder.order_id) == order_id, col(OrderFolder.suborder) == number)
        .order_by(col(OrderFolder.seq))
    )


def folders_of(order_id: UUID, *, after: int = 0, limit: int) -> sa.Select[OrderFolder]:
    """A page of an order's empty folders, in their order, behind the one numbered `after`."""
    query = sa.select(OrderFolder).where(col(OrderFolder.order_id) == order_id, col(OrderFolder.seq) > after)
    return query.order_by(col(OrderFolder.seq)).limit(limit)


def tally_of(order_id: UUID) -> sa.Select[int, int, int]:
    """What the sub-orders of an order came to: files, failed files, bytes."""

    def total(column: int) -> sa.ColumnElement[int]:
        return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)

    sums = total(SubOrder.files_total), total(SubOrder.files_failed), total(SubOrder.bytes_total)
    return sa.select(*sums).where(col(SubOrder.order_id) == order_id)


def settled_suborders_of(order_id: UUID) -> sa.Select[int, int, int, int]:
    """How many sub-orders an order has, how many have settled, the bytes of all and those that have settled."""
    settled = col(SubOrder.state).not_in(UNSETTLED_SUBORDERS)

    def total(column: int) -> sa.ColumnElement[int]:
        return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)

    return sa.select(
        sa.func.count(),
        sa.func.count().filter(settled),
        total(SubOrder.bytes_total),
        total(SubOrder.bytes_settled),
    ).where(col(SubOrder.order_id) == order_id)


def commonest_failure_of(order_id: UUID, suborder: int | None = None) -> sa.Select[str | None, str | None]:
    """Code and an example of the failure that most files of an order share, or of one of its sub-orders."""
    which = sa.true() if suborder is None else col(OrderFile.suborder) == suborder
    return (
        sa.select(col(OrderFile.failure_code), sa.func.min(OrderFile.failure_text))
        .where(col(OrderFile.order_id) == order_id, which, col(OrderFile.failure_code).is_not(None))
        .group_by(col(OrderFile.failure_code))
        .order_by(sa.func.count().desc(), col(OrderFile.failure_code))
        .limit(1)
    )


def unstarted_orders(*, before: datetime, limit: int) -> sa.Select[Order]:
    """Accepted orders that are not known to have a workflow; the oldest first."""
    query = sa.select(Order).where(col(Order.started_at).is_(None), col(Order.created_at) < before)
    return query.order_by(col(Order.created_at)).limit(limit)


def _needs_workflow(now: datetime) -> sa.ColumnElement[bool]:
    """Whether an order needs a workflow: it is open, or kept until its time is up."""
    left = sa.exists().where(
        col(SubOrder.order_id) == col(Order.id), col(SubOrder.state).in_(RELEASABLE[SubOrderState.EXPIRED])
    )
    kept = sa.and_(col(Order.status).in_(FULFILLED), sa.or_(col(Order.expires_at) > now, left))
    return sa.or_(col(Order.status).in_(set(OrderStatus) - TERMINAL - FULFILLED), kept)


def count_needing_workflow(now: datetime) -> sa.Select[int]:
    """How many orders need a workflow."""
    return sa.select(sa.func.count()).select_from(Order).where(_needs_workflow(now))


def orders_needing_workflow(now: datetime, *, before: datetime, part: int, parts: int) -> sa.Select[UUID, str | None]:
    """One of so many parts of the orders that need a workflow and had one started before then, as they keep its id."""
    shard = sa.func.hashtext(sa.cast(col(Order.id), sa.Text)).op("&")(0x7FFFFFFF) % parts
    due = _needs_workflow(now), col(Order.started_at) < before, shard == part
    return sa.select(col(Order.id), col(Order.kept_workflow_id)).where(*due)


def skus_of(order_ids: list[UUID]) -> sa.Select[UUID, str]:
    """The SKUs of orders, in the order of their lines."""
    query = sa.select(col(OrderItem.order_id), col(OrderItem.sku)).where(col(OrderItem.order_id).in_(order_ids))
    return query.order_by(col(OrderItem.order_id), col(OrderItem.position))


def mark_started(order_id: UUID, now: datetime) -> sa.Update:
    """Note that the order has its workflow."""
    return sa.update(Order).where(col(Order.id) == order_id, col(Order.started_at).is_(None)).values(started_at=now)


def ordered_at(order_id: UUID) -> sa.Select[datetime]:
    """When an order was placed, or submitted if it was a draft: from then on what it selects has to stay as it is."""
    what = past_tense(Command.SUBMIT)
    submitted = sa.select(sa.func.max(col(TimelineRow.at))).where(
        col(TimelineRow.order_id) == order_id, col(TimelineRow.what) == what
    )
    return sa.select(sa.func.coalesce(submitted.scalar_subquery(), col(Order.created_at))).where(
        col(Order.id) == order_id
    )


def revoke_links(order_id: UUID, now: datetime) -> sa.Update:
    """Have no link open an order that was made until now."""
    return sa.update(Order).where(col(Order.id) == order_id).values(links_revoked_at=now)
