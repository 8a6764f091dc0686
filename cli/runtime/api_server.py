"""The API process put together: what the facade works with."""

import asyncio
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import FrameType
from urllib.parse import urlsplit

import structlog
import uvicorn

from api.dependencies import Services
from api.http.limiting import ParallelDownloads, RequestRate
from api.identity.config import ClaimNames, OidcConfig
from api.identity.oidc import open_oidc
from api.operations.state import Operations
from cli.dev.issuer.people import AUDIENCE, CLIENT_ID, REALM, issuer_url
from cli.dev.ports import LOOPBACK_NAMES
from cli.errors import CommandFailed
from cli.runtime import gc
from cli.runtime.client_factory import temporal_client
from cli.runtime.delivery_targets import delivery_targets
from cli.runtime.settings import Settings
from database.engine import make_engine, make_sessions
from models.links import LinkKeys
from storage.sources.registry import Sources

log = structlog.get_logger()

READ_AHEAD_THREADS = 16
"""Downloads that read from disk at the same moment; more of them wait their turn, a block at a time."""


def oidc_config(settings: Settings) -> OidcConfig:
    """Whom the API believes. Raises CommandFailed where nobody is named, for an API without identity serves nobody."""
    if settings.dev_issuer:
        return dev_issuer_config(settings)
    if settings.oidc_issuer is None:
        raise CommandFailed(
            "CONSIGNOR_OIDC_ISSUER is not set: name the OpenID Connect issuer whose tokens are believed"
        )
    secret, role = settings.oidc_client_secret, settings.oidc_default_role
    return OidcConfig(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        realm=settings.oidc_realm,
        claims=ClaimNames(
            roles=settings.oidc_roles_claim,
            groups=settings.oidc_groups_claim,
            name=settings.oidc_name_claim,
            email=settings.oidc_email_claim,
            known_roles=settings.oidc_role_names,
            default_role=None if role == "none" else role,
        ),
        session_timeout=settings.session_timeout,
    )


def dev_issuer_config(settings: Settings) -> OidcConfig:
    """The built-in issuer as our own. Raises CommandFailed off loopback: it lets in whoever asks, as whom they like."""
    public = urlsplit(settings.api_url).hostname
    if settings.host not in LOOPBACK_NAMES or public not in LOOPBACK_NAMES:
        raise CommandFailed(
            f"the built-in issuer serves this machine only, and not {settings.host} ({settings.api_url}):"
            " unset CONSIGNOR_DEV_ISSUER and name your identity provider in CONSIGNOR_OIDC_ISSUER"
        )
    return OidcConfig(
        issuer=issuer_url(f"http://{settings.host}:{settings.port}"),
        audience=AUDIENCE,
        client_id=CLIENT_ID,
        realm=REALM,
        session_timeout=settings.session_timeout,
    )


@asynccontextmanager
async def open_services(settings: Settings, operations: Operations) -> AsyncIterator[Services]:
    """What the facade works with, for as long as it runs."""
    engine = make_engine(settings.database_url, answering=True)
    readers = ThreadPoolExecutor(READ_AHEAD_THREADS, thread_name_prefix="read")
    try:
        secrets = tuple(secret.get_secret_value() for secret in settings.payment_webhook_secrets)
        keys = LinkKeys([key.get_secret_value() for key in settings.link_keys])
        client = await temporal_client(lazy=True)
        async with (
            open_oidc(oidc_config(settings)) as identity,
            operations.running(settings.database_url, client),
        ):
            gc.settled()
            yield Services(
                make_sessions(engine),
                client,
                settings.api_url,
                readers,
                secrets,
                sources=Sources(),
                delivery_targets=delivery_targets(settings),
                cursor_key=settings.cursor_key,
                link_keys=keys,
                stalled_after=settings.stalled_after.total_seconds(),
                identity=identity,
                operations=operations,
                limits=settings.limits,
                quotas=settings.quotas,
                rate=RequestRate(settings.max_requests_per_second, settings.request_burst),
                downloads=ParallelDownloads(settings.max_parallel_downloads),
            )
    finally:
        readers.shutdown(wait=False, cancel_futures=True)
        await engine.dispose()


class DrainingServer(uvicorn.Server):
    """Drains at the first signal; stops when nothing is under way, when the time is up, or at the second signal."""

    def __init__(self, config: uvicorn.Config, operations: Operations, settings: Settings) -> None:
        super().__init__(config)
        self._operations = operations
        self._notice = settings.drain_notice.total_seconds()
        self._patience = settings.drain_timeout.total_seconds()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: drain; once more: stop now."""
        if self._loop is None or self._operations.draining.started:
            super().handle_exit(sig, frame)
            return
        self._operations.drain()
        self._loop.call_soon_threadsafe(self._begin, sig)

    def _begin(self, sig: int) -> None:
        self._draining = asyncio.create_task(self._drain(sig))

    async def _drain(self, sig: int) -> None:
        log.info("draining", under_way=self._operations.draining.requests, at_most=self._patience)
        # Load balancers need a moment to see that /readyz says no; until then requests still come here.
        await asyncio.sleep(self._notice)
        idle = await self._operations.draining.wait(self._patience)
        log.info("drained" if idle else "drain timed out", under_way=self._operations.draining.requests)
        super().handle_exit(sig, None)
