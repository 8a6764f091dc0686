"""How many of each kind somebody may have. What is under way at a time, and how much is ordered, are elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.annotations import MAX_NOTES, MAX_WORDINGS
from models.errors import Fault, QuotaExceeded
from models.queries import annotations, bulk, cart, destinations, users, views
from models.queries.locks import Kind, lock_of

MAX_SESSIONS = 50
"""Browsers that one user is signed in with; one more, and the oldest is signed out."""

MAX_IN_CART = 2_000_000
"""Objects in a cart, each as often as a selection holds it."""


@dataclass(frozen=True)
class Number:
    """How many there may be, how they are counted, and what the refusal of one more says."""

    kind: Kind
    most: int
    counted: Callable[[Any], sa.Select[int]]
    field: str
    code: str
    text: str


VIEWS = Number(
    Kind.VIEWS, 200, views.views_counted, "name", "too_many_views", "you may save {most} views; delete one first"
)
DESTINATIONS = Number(
    Kind.DESTINATIONS,
    100,
    destinations.destinations_counted,
    "name",
    "too_many_destinations",
    "you may have {most} destinations; remove one first",
)
TOKENS = Number(
    Kind.TOKENS,
    100,
    users.tokens_counted,
    "name",
    "too_many_tokens",
    "you may have {most} access tokens; revoke one first",
)
BULKS = Number(
    Kind.BULKS,
    20,
    bulk.unfinished_counted,
    "action",
    "too_many_bulks",
    "you may have {most} bulks that have not ended; wait until one has, or cancel one",
)
NOTES = Number(
    Kind.NOTES,
    MAX_NOTES,
    annotations.notes_counted,
    "order",
    "too_many_notes",
    "an order has at most {most} notes; edit one, or delete some",
)
WORDINGS = Number(
    Kind.WORDINGS,
    MAX_WORDINGS,
    annotations.last_wording,
    "text",
    "too_many_wordings",
    "a note may be edited {most} times; write another one",
)
CART_SELECTIONS = Number(
    Kind.CART_SELECTIONS,
    200,
    cart.selections_counted,
    "cart",
    "too_many_selections",
    "a cart has at most {most} selections; order what is in it, or remove one first",
)


async def hold(session: AsyncSession, kind: Kind, whose: object) -> None:
    """Let nobody else add to what somebody has of a kind until the transaction ends."""
    await session.execute(lock_of(kind, whose))


async def require_room(session: AsyncSession, number: Number, whose: object) -> None:
    """Hold what somebody has of a kind. Raises QuotaExceeded where that is as much as there may be."""
    await hold(session, number.kind, whose)
    if (await session.execute(number.counted(whose))).scalar_one() >= number.most:
        text = number.text.format(most=number.most)
        raise QuotaExceeded([Fault(field=number.field, code=number.code, text=text)])
