"""One examination: everything that a start with this environment needs, in the order in which it would be met."""

from collections.abc import AsyncIterator

from cli.doctor.finding import Finding
from cli.doctor.machine import look_at_dev_stack, look_at_machine
from cli.errors import CommandFailed
from cli.runtime.loading import from_environment, load_settings, temporal_config
from cli.runtime.running_stack import running_stack
from cli.runtime.settings import Settings
from cli.runtime.shell_settings import api_url


async def examine() -> AsyncIterator[Finding]:
    """Look at servers where the environment names any, or a dev stack runs; else at what a dev stack would need."""
    try:
        settings = from_environment()
    except CommandFailed as wrong:
        yield Finding.failed("Settings", str(wrong), "correct it, or unset it")
        return
    for finding in look_at_machine(settings.data):
        yield finding
    running = running_stack(settings.data)
    if running is None and not settings.database_url:
        for finding in look_at_dev_stack(settings.data):
            yield finding
        return
    async for finding in _servers(load_settings(), has_dev_stack=running is not None):
        yield finding


async def _servers(settings: Settings, *, has_dev_stack: bool) -> AsyncIterator[Finding]:
    # Imported only now: a dev stack that does not start yet may lack some of it.
    import httpx2 as httpx

    from cli.doctor.services import PATIENCE, delivery_roots, look_at_api, look_at_database, look_at_issuer
    from cli.doctor.settings import look_at_settings
    from cli.doctor.temporal import look_at_temporal

    async for finding in look_at_database(settings.database_url):
        yield finding
    try:
        config = temporal_config()
    except CommandFailed:
        yield Finding.failed("Temporal", "TEMPORAL_ADDRESS is not set", "name your cluster, as host:7233")
    else:
        async for finding in look_at_temporal(config):
            yield finding
    if has_dev_stack:
        yield Finding.ok("Issuer", "the dev stack's own")
    else:
        for finding in (*look_at_settings(settings), *delivery_roots(settings.delivery_roots)):
            yield finding
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        if settings.oidc_issuer and not has_dev_stack:
            async for finding in look_at_issuer(http, settings.oidc_issuer):
                yield finding
        yield await look_at_api(http, api_url() if has_dev_stack else settings.api_url)
