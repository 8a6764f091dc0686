"""Whose turn a request takes before it is known who asks."""

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from database.fair_pool import asking_as
from database.known_askers import STRANGERS, KnownAskers
from tests.database.test_fair_pool import impatient

__all__ = ["impatient"]


async def test_a_crowd_of_strangers_keeps_nobody_waiting_who_was_here_before(impatient: AsyncEngine) -> None:
    askers = KnownAskers()
    with asking_as(STRANGERS):
        askers.ask_as_owner("Bearer bob's", "bob")
    with asking_as(STRANGERS):
        async with impatient.connect(), impatient.connect():
            with asking_as(STRANGERS):
                askers.ask_as_last_time("Bearer nobody's")
                with pytest.raises(PoolTimeoutError):
                    await impatient.connect()
            with asking_as(STRANGERS):
                askers.ask_as_last_time("Bearer bob's")
                async with impatient.connect():
                    pass


async def test_only_so_many_are_remembered_and_the_last_ones_are(impatient: AsyncEngine) -> None:
    askers = KnownAskers(most=2)
    for name in ("first", "second", "first", "third"):
        with asking_as(STRANGERS):
            askers.ask_as_owner(name, name)
    with asking_as(STRANGERS):
        async with impatient.connect(), impatient.connect():
            for name in ("first", "third"):
                with asking_as(STRANGERS):
                    askers.ask_as_last_time(name)
                    async with impatient.connect():
                        pass
            askers.ask_as_last_time("second")
            with pytest.raises(PoolTimeoutError):
                await impatient.connect()
