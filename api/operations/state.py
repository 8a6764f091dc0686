"""The state of one process of the facade, and the health of what it depends on."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends
from temporalio.client import Client

from api.events.hub import Hub
from api.events.listener import listening
from api.http.container import Container, services
from api.http.draining import Draining
from api.operations.metrics import Metrics
from temporal.health import TemporalHealth, watching

FIGURES_KEPT = 10.0
"""Seconds for which figures of all orders are kept: whoever scrapes more often costs the database nothing."""


@dataclass
class FiguresAge:
    """How old the figures of all orders are."""

    keep: float = FIGURES_KEPT
    _due: float = 0.0

    def are_due(self) -> bool:
        """Whether they have to be looked up now; of two that ask at once, one is told so."""
        if (now := time.monotonic()) < self._due:
            return False
        self._due = now + self.keep
        return True

    def forget(self) -> None:
        """They could not be looked up; the next one who asks may try."""
        self._due = 0.0


@dataclass(frozen=True)
class Operations:
    """Live events, metrics, the drain, and the health of Temporal. One for each process."""

    hub: Hub = field(default_factory=Hub)
    metrics: Metrics = field(default_factory=Metrics)
    draining: Draining = field(default_factory=Draining)
    temporal_health: TemporalHealth = field(default_factory=TemporalHealth)
    figures: FiguresAge = field(default_factory=FiguresAge)

    def drain(self) -> None:
        """Refuse new work and end the streams, which would never end by themselves."""
        self.draining.begin()
        self.hub.close()

    @asynccontextmanager
    async def running(self, database_url: str, client: Client) -> AsyncIterator[None]:
        """Listen to the database and watch Temporal as long as the block lasts."""
        async with listening(database_url, self.hub), watching(client, self.temporal_health):
            yield


class OperationsServices(Container, Protocol):
    """What this room takes of the application that serves a request."""

    @property
    def temporal(self) -> Client:
        """A client of Temporal."""

    @property
    def operations(self) -> Operations:
        """What this process knows of itself."""


OperationsServicesDep = Annotated[OperationsServices, Depends(services)]
