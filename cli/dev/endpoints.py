"""Where each part of a dev stack is reached: decided before anything starts, so that everything can start at once."""

import os
from dataclasses import dataclass

from cli.dev.ports import LOOPBACK, any_free, free_port, is_free
from cli.dev.temporal import TemporalDev
from cli.errors import CommandFailed
from cli.runtime.addresses import LOOPBACK_NAMES, http_url
from cli.runtime.loading import from_environment

API_PORT = 8000


@dataclass(frozen=True)
class Endpoints:
    """The ports of what we start, and the addresses of what is somebody else's already."""

    api_host: str
    api_port: int
    temporal_port: int
    ui_port: int
    namespace: str
    # Set in the environment, so not ours to start.
    outside_database: str | None = None
    outside_temporal: str | None = None

    @property
    def api(self) -> str:
        """The API's address."""
        return http_url(self.api_host, self.api_port)

    @property
    def temporal_address(self) -> str:
        """Temporal's address."""
        return self.outside_temporal or f"{LOOPBACK}:{self.temporal_port}"

    @property
    def temporal_ui(self) -> str:
        """The Temporal UI's address; we cannot know an outside one's."""
        return "" if self.outside_temporal else f"http://{LOOPBACK}:{self.ui_port}"


def choose(host: str, port: int | None, settings: TemporalDev) -> Endpoints:
    """The preferred ports or their next free neighbours; a port that was asked for is taken or refused, 0 is any.

    `host` is where the API listens, on this machine alone.
    """
    host = host.strip("[]")
    if host not in LOOPBACK_NAMES:
        raise CommandFailed(
            f"the dev stack asks for no password and serves this machine only, so not {host}: choose one of"
            f" {', '.join(sorted(LOOPBACK_NAMES))}, or run `consignor api` with your identity provider"
        )
    if port and not is_free(port, host):
        raise CommandFailed(f"port {port} is in use: choose another with --port, or --port 0 for any")
    wanted = (0, 0) if port == 0 else (settings.ports.frontend, settings.ports.ui)
    api = port or (any_free(host) if port == 0 else free_port(API_PORT, host=host))
    frontend = free_port(wanted[0], taken=frozenset({api}))
    outside_temporal = os.environ.get("TEMPORAL_ADDRESS") or None
    namespace = os.environ.get("TEMPORAL_NAMESPACE") if outside_temporal else settings.namespace
    return Endpoints(
        api_host=host,
        api_port=api,
        temporal_port=frontend,
        ui_port=free_port(wanted[1], taken=frozenset({api, frontend})),
        namespace=namespace or "default",
        outside_database=from_environment().database_url or None,
        outside_temporal=outside_temporal,
    )
