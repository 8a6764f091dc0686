"""Where settings come from: the environment, else the dev stack that runs here."""

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import SettingsError

from cli.errors import CommandFailed
from cli.runtime.running_stack import nothing_runs, running_stack
from cli.runtime.secret_values import secret_in_file
from cli.runtime.settings import Settings

if TYPE_CHECKING:
    from temporalio.envconfig import ClientConnectConfig


def load_settings() -> Settings:
    """The settings, complete: what the environment leaves open is the dev stack's that runs on the data folder."""
    settings = from_environment()
    if running := running_stack(settings.data):
        api = urlsplit(running.api)
        offered = {"database_url": running.database_url, "host": api.hostname, "port": api.port}
        open_ones = {key: value for key, value in offered.items() if key not in settings.model_fields_set}
        settings = settings.model_copy(update=open_ones)
    if not settings.database_url:
        raise CommandFailed(nothing_runs(settings.data, "DATABASE_URL"))
    return settings


def temporal_config() -> "ClientConnectConfig":
    """Where Temporal is: its own environment variables and file, else the dev stack that runs on the data folder."""
    from temporalio.envconfig import ClientConfig

    key = secret_in_file("TEMPORAL_API_KEY")
    overrides = {**os.environ, "TEMPORAL_API_KEY": key} if key else None
    config = ClientConfig.load_client_connect_config(override_env_vars=overrides)
    if config.get("target_host"):
        return config
    settings = from_environment()
    running = running_stack(settings.data)
    if running is None:
        raise CommandFailed(nothing_runs(settings.data, "TEMPORAL_ADDRESS"))
    return {"namespace": running.temporal_namespace, **config, "target_host": running.temporal_address}


def from_environment() -> Settings:
    """What the environment says and nothing else."""
    try:
        return Settings()
    except ValidationError as wrong:
        faults = (
            f"{_variable(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in wrong.errors(include_input=False)
        )
        raise CommandFailed("; ".join(faults)) from None
    except SettingsError as wrong:
        field = re.search(r'"(\w+)"', str(wrong))
        name = _variable((field[1],)) if field else "a variable"
        raise CommandFailed(f'{name}: write it as JSON, a list as ["…", "…"]') from None


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]).upper()
    return name if name == "DATABASE_URL" else f"CONSIGNOR_{name}"
