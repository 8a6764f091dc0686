"""What the routes work with, and who is asking."""

from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from api.operations import Operations
from api.scope import Scope


@dataclass(frozen=True)
class Services:
    """The dependencies of the facade; the composition root makes them."""

    sessions: async_sessionmaker[AsyncSession]
    temporal: Client
    public_url: str
    readers: Executor
    payment_secrets: tuple[str, ...] = ()
    operations: Operations = field(default_factory=Operations)

    def now(self) -> datetime:
        """The present instant; the one clock of the facade."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class Caller:
    """Who is asking. Every query is scoped by it."""

    customer: str

    @property
    def actor(self) -> str:
        """How the timeline names the caller."""
        return f"customer:{self.customer}"

    @property
    def scope(self) -> Scope:
        """Whose orders the caller may see."""
        return Scope(self.customer)


LOCAL_CALLER = Caller("local")


def services(request: Request) -> Services:
    """The services of the application that serves this request."""
    found: Services = request.app.state.services
    return found


def caller() -> Caller:
    """The fixed local user of the dev stack."""
    return LOCAL_CALLER


ServicesDep = Annotated[Services, Depends(services)]
CallerDep = Annotated[Caller, Depends(caller)]
