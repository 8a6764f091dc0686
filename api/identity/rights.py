"""Whether somebody still may have what an answer gives them that lasts for hours."""

from api.http.container import Container
from database.readiness import DATABASE_AWAY
from models.access import Caller, Permission
from models.errors import Forbidden, Unauthenticated
from services.credentials import look_again

LOOK_AGAIN_AFTER = 20.0
"""Seconds after which it is asked again; with what the database takes to answer, nobody keeps a right for 30."""


async def still_reads(services: Container, caller: Caller) -> bool:
    """Whether a caller still may read, and sees neither more nor less than when the answer began.

    While the database is unavailable nobody can tell, and the answer goes on: what it would give comes from there.
    """
    try:
        async with services.sessions.begin() as session:
            present = await look_again(session, caller, services.now())
    except (Unauthenticated, Forbidden):
        return False
    except DATABASE_AWAY:
        return True
    return present.may(Permission.READ) and present.visibility == caller.visibility
