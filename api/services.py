"""What the routes work with, and who is asking."""

from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from api.identity.authenticate import Needs, on_their_own
from api.identity.directory import Identity
from models.access import Caller, Permission

__all__ = ["Caller", "CallerDep", "Services", "ServicesDep", "TokenOwnerDep", "services"]


@dataclass(frozen=True)
class Services:
    """The dependencies of the facade; the composition root makes them."""

    sessions: async_sessionmaker[AsyncSession]
    temporal: Client
    public_url: str
    readers: Executor
    payment_secrets: tuple[str, ...] = ()
    identity: Identity = field(kw_only=True)

    def now(self) -> datetime:
        """The present instant; the one clock of the facade."""
        return datetime.now(UTC)


def services(request: Request) -> Services:
    """The services of the application that serves this request."""
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]

# Who is asking, and may: a route takes one of these. A new permission is one more line.
CallerDep = Annotated[Caller, Depends(on_their_own)]
TokenOwnerDep = Annotated[Caller, Depends(Needs(Permission.MANAGE_TOKENS))]
