"""The right of a caller to an answer that lasts for hours."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.http.container import Container
from api.http.lasting import LastingRight
from models.access import Caller, Permission
from services.credentials import look_again

LOOK_AGAIN_AFTER = 20.0
"""Seconds after which it is asked again; with what the database takes to answer, nobody keeps a right for 30."""


def right_to_read(services: Container, caller: Caller, *, begun_at: datetime | None = None) -> LastingRight:
    """The right of a caller, while they may read and see neither more nor less than when the answer began.

    What was `begun_at` an instant outlives what merely runs out after it, such as the minutes of a token: nobody could
    download for hours otherwise. It outlives no revocation.
    """

    async def look(session: AsyncSession) -> bool:
        present = await look_again(session, caller, begun_at or services.now())
        return present.may(Permission.READ) and present.visibility == caller.visibility

    return LastingRight(services, look)
