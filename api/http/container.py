"""What every room of the facade takes of the application that serves a request.

`api.dependencies` has it all, and imports the rooms whose parts it holds. A room below it states in a Protocol of its
own what else it takes, so that imports go one way.
"""

from datetime import datetime
from typing import Any, Protocol

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker


class Container(Protocol):
    """The part of `api.dependencies.Services` that needs no other room."""

    @property
    def sessions(self) -> async_sessionmaker[AsyncSession]:
        """Transactions of the database."""

    @property
    def public_url(self) -> str:
        """How clients reach this server."""

    @property
    def cursor_key(self) -> bytes:
        """The secret of this server that seals what clients hand back."""

    @property
    def look_again_after(self) -> float:
        """Seconds after which it is asked whether somebody still may have what they get."""

    def now(self) -> datetime:
        """The present instant."""


def services(request: Request) -> Any:
    """The services of the application that serves this request."""
    return request.app.state.services
