"""What a process of the facade knows of itself and of what it depends on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from temporalio.client import Client

from api.events.hub import Hub
from api.events.listening import listening
from api.http.draining import Draining
from api.operations.metrics import Metrics
from api.operations.temporal_health import Standing, watching


@dataclass(frozen=True)
class Operations:
    """Live events, metrics, the drain, and how Temporal stands. One for each process."""

    hub: Hub = field(default_factory=Hub)
    metrics: Metrics = field(default_factory=Metrics)
    draining: Draining = field(default_factory=Draining)
    standing: Standing = field(default_factory=Standing)

    def drain(self) -> None:
        """Take nothing new and end the streams, which would never end by themselves."""
        self.draining.begin()
        self.hub.close()

    @asynccontextmanager
    async def running(self, database_url: str, client: Client) -> AsyncIterator[None]:
        """Listen to the database and watch Temporal as long as the block lasts."""
        async with listening(database_url, self.hub), watching(client, self.standing):
            yield
