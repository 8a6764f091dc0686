"""The locks under which is counted what somebody has of a kind."""

from enum import IntEnum

import sqlalchemy as sa


class Kind(IntEnum):
    """What somebody may have so many of; the value is the seed of its locks, which no other kind has."""

    ORDERS = 20260712
    VIEWS = 20260713
    DESTINATIONS = 20261128
    TOKENS = 20261129
    NOTES = 20261130
    WORDINGS = 20261201
    BULKS = 20261202
    SESSIONS = 20261203
    CART_SELECTIONS = 20261204


def lock_of(kind: Kind, whose: object) -> sa.Select[None]:
    """Wait until nobody else adds to what this customer, or this order, has of a kind; until the transaction ends.

    What is counted are rows, and one transaction does not see what another has yet to commit: without the lock, two at
    once would each be the last that fits. With it the second one counts the first.
    """
    key = sa.func.hashtextextended(sa.literal(str(whose), sa.Text), sa.literal(int(kind), sa.BigInteger))
    return sa.select(sa.func.pg_advisory_xact_lock(key))
