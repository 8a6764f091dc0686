"""The API process put together: what the facade works with."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from api.services import Services
from cli.connecting import temporal_client
from cli.delivery import deliverer
from cli.settings import Settings
from models.database import make_engine, make_sessions
from models.links import LinkKeys

READ_AHEAD_THREADS = 16
"""Downloads that read from disk at the same moment; more of them wait their turn, a block at a time."""


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """What the facade works with, for as long as it runs."""
    engine = make_engine(settings.database_url)
    readers = ThreadPoolExecutor(READ_AHEAD_THREADS, thread_name_prefix="read")
    try:
        secrets = tuple(secret.get_secret_value() for secret in settings.payment_webhook_secrets)
        keys = LinkKeys([key.get_secret_value() for key in settings.link_keys])
        client = await temporal_client(lazy=True)
        yield Services(
            make_sessions(engine),
            client,
            settings.api_url,
            readers,
            secrets,
            deliverer=deliverer(settings),
            cursor_key=settings.cursor_key,
            link_keys=keys,
            stalled_after=settings.stalled_after.total_seconds(),
        )
    finally:
        readers.shutdown(wait=False, cancel_futures=True)
        await engine.dispose()
