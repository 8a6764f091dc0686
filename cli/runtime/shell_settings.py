"""What a command that asks the API needs of the settings, read without waiting for all that servers may be set to."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cli.errors import CommandFailed
from cli.runtime.addresses import http_url, whole_url
from cli.runtime.running_stack import nearest_data, nothing_runs, running_stack
from cli.runtime.secret_values import checked_token, secret_in_file

_PREFIX: Final = "CONSIGNOR_"
_SWITCH: Final = {"": False, "false": False, "0": False, "true": True, "1": True}


@dataclass(frozen=True)
class ShellSettings:
    """Those of `Settings` by which a command finds the API and shows it who asks; they have the same meaning."""

    data: Path
    local_url: str
    has_port: bool
    public_url: str | None
    plain_http: bool
    dev_issuer: bool
    token: str | None = field(repr=False)

    @property
    def api_url(self) -> str:
        """How this machine's own commands reach the API."""
        return self.public_url or self.local_url

    @classmethod
    def plain(cls) -> Self:
        """What is written plainly in the environment. Raises ValueError or LookupError where it takes more to read."""
        given = {name.upper(): value for name, value in os.environ.items() if value}

        def text(name: str) -> str:
            return given.get(_PREFIX + name, "")

        port = int(text("PORT") or 8000)
        if not 0 <= port <= 65535:
            raise ValueError("no port")
        token = text("TOKEN") or secret_in_file(f"{_PREFIX}TOKEN")
        return cls(
            data=Path(text("DATA")) if text("DATA") else nearest_data(),
            local_url=http_url((text("HOST") or "127.0.0.1").strip("[]"), port),
            has_port=bool(text("PORT")),
            public_url=whole_url(text("PUBLIC_URL")) if text("PUBLIC_URL") else None,
            plain_http=_SWITCH[text("PLAIN_HTTP")],
            dev_issuer=_SWITCH[text("DEV_ISSUER")],
            token=checked_token(token) if token else None,
        )

    @classmethod
    def complete(cls) -> Self:
        """The same from all settings, which know every way to write one. Raises CommandFailed for what is wrong."""
        from cli.runtime.loading import from_environment

        settings = from_environment()
        return cls(
            data=settings.data,
            local_url=settings.local_url,
            has_port="port" in settings.model_fields_set,
            public_url=settings.public_url,
            plain_http=settings.plain_http,
            dev_issuer=settings.dev_issuer,
            token=settings.token.get_secret_value() if settings.token else None,
        )


def shell_settings() -> ShellSettings:
    """What the environment says and nothing else. Raises CommandFailed for what is wrong."""
    try:
        return ShellSettings.plain()
    except (ValueError, LookupError):
        return ShellSettings.complete()


def api_url() -> str:
    """Where the API is: CONSIGNOR_PUBLIC_URL, else the dev stack's of the data folder, else where one has signed in."""
    settings = shell_settings()
    running = running_stack(settings.data)
    if running and not settings.public_url:
        return running.api
    if settings.public_url is None and not settings.has_port:
        from cli.logins import Logins

        if latest := Logins().latest:
            return latest
        remedy = ", or sign in with `consignor login URL`"
        raise CommandFailed(nothing_runs(settings.data, "CONSIGNOR_PUBLIC_URL") + remedy)
    return settings.api_url
