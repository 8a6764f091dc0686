"""Whole applications, made once and lent to one test after the other: making one takes longer than most tests."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from fastapi import FastAPI

from api.app import Lifespan, create_app
from api.dependencies import Services


class _Application:
    """An application that opens what it is told to when it starts."""

    def __init__(self) -> None:
        self.open_services: Lifespan
        self.app = create_app(self._open)

    def _open(self) -> AbstractAsyncContextManager[Services]:
        return self.open_services()


_free: list[_Application] = []
"""Those that nobody has; a test that needs two at once is lent two."""


@contextmanager
def lent_app(open_services: Lifespan) -> Iterator[FastAPI]:
    """Lend an application that has not been started, and starts with these services."""
    lent = _free.pop() if _free else _Application()
    lent.open_services = open_services
    try:
        yield lent.app
    finally:
        _free.append(lent)


@asynccontextmanager
async def started(services: Services) -> AsyncIterator[FastAPI]:
    """An application that works with these services."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        yield services

    with lent_app(opened) as app:
        async with app.router.lifespan_context(app):
            yield app
