"""What `models.delivery_status` derives of an order, as SQL from the same tables; a test proves them equal."""

import sqlalchemy as sa
from sqlmodel import col

from models.order import OrderStatus
from models.status_facts import DELIVERY, WAITING_FOR_USER, DeliveryStatus, WaitCondition
from models.suborder import SubOrderState
from models.tables import SubOrder

Columns = sa.ColumnCollection[str, sa.ColumnElement[object]]
"""The columns of `orders`, of the table itself or of a part of it under another name."""


def waiting_for_user(o: Columns) -> sa.ColumnElement[bool]:
    """Whether an order waits for its user."""
    by_condition: dict[WaitCondition, list[OrderStatus]] = {}
    for status, condition in WAITING_FOR_USER.items():
        by_condition.setdefault(condition, []).append(status)
    return sa.or_(*(_holds(o, statuses, condition) for condition, statuses in by_condition.items()))


def could_wait_for_user(o: Columns) -> list[sa.ColumnElement[bool]]:
    """What every order has that waits for its user, each a join the planner may begin with."""
    common = frozenset.intersection(*(frozenset(condition.some) for condition in WAITING_FOR_USER.values()))
    having = (sa.select(col(SubOrder.order_id)).where(col(SubOrder.state) == word(state)) for state in sorted(common))
    return [o["status"].in_([*map(word, WAITING_FOR_USER)]), *(o["id"].in_(orders) for orders in having)]


def _holds(o: Columns, statuses: list[OrderStatus], condition: WaitCondition) -> sa.ColumnElement[bool]:
    some = [_has(o, state) for state in condition.some]
    none = [~_has(o, state) for state in condition.none]
    return sa.and_(o["status"].in_([*map(word, statuses)]), *some, *none)


def _has(o: Columns, state: SubOrderState) -> sa.ColumnElement[bool]:
    return sa.exists().where(col(SubOrder.order_id) == o["id"], col(SubOrder.state) == word(state))


def delivery_status(o: Columns) -> sa.ColumnElement[str]:
    """The delivery status of an order."""
    words = [(o["status"] == word(status), word(shown)) for status, shown in DELIVERY.items()]
    waiting = (waiting_for_user(o), word(DeliveryStatus.WAITING_USER_DOWNLOAD))
    return sa.case(waiting, *words, else_=word(DeliveryStatus.UNKNOWN))


def percent(o: Columns) -> sa.ColumnElement[object]:
    """The progress of an order in per cent with one decimal."""
    settled = o["files_available"] + o["files_failed"]

    def share(done: sa.ColumnElement[object], total: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
        return sa.func.least(sa.func.div(sa.cast(done, sa.Numeric) * 1000, sa.cast(total, sa.Numeric)), 999)

    per_mille = sa.case(
        (sa.and_(o["files_total"] > 0, settled >= o["files_total"]), 1000),
        (o["bytes_total"] > 0, share(o["bytes_settled"], o["bytes_total"])),
        (o["files_total"] > 0, share(settled, o["files_total"])),
        else_=0,
    )
    return sa.cast(per_mille / sa.literal_column("10.0"), sa.Numeric(4, 1))


def word(value: str) -> sa.ColumnElement[str]:
    """One of our own words, written into the statement, where the planner sees it."""
    return sa.literal_column(f"'{value}'", sa.Text)
