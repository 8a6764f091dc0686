"""A command that asks the API is quick to begin: it reads a few settings by itself, and imports what it needs."""

import os
import subprocess
import sys
from itertools import product

import pytest

from cli.errors import CommandFailed
from cli.runtime.shell_settings import ShellSettings, shell_settings

HEAVY = {"pydantic", "pydantic_settings", "cryptography", "joserfc", "authlib", "sqlalchemy", "temporalio", "fastapi"}

LISTS_ORDERS = """
import sys
from cli.errors import CommandFailed
from cli.main import app
try:
    app(["order", "list", "--status", "failed", "--search", "maps"])
except CommandFailed as failed:
    print(failed, file=sys.stderr)
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_a_command_that_lists_orders_imports_nothing_that_only_others_need() -> None:
    """Nobody listens at the address; by then all is imported that a table takes."""
    done = subprocess.run(
        [sys.executable, "-c", LISTS_ORDERS], env={**os.environ, "CONSIGNOR_PUBLIC_URL": "http://127.0.0.1:1"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "does not answer" in done.stderr
    imported = set(done.stdout.split())
    assert {"httpx2", "rich"} <= imported
    assert imported.isdisjoint(HEAVY)


GIVEN = {
    "CONSIGNOR_DATA": ("", "/somewhere"),
    "CONSIGNOR_HOST": ("", "[::1]", "0.0.0.0"),
    "CONSIGNOR_PORT": ("", "9000"),
    "CONSIGNOR_PUBLIC_URL": ("", "https://orders.example/at/"),
    "CONSIGNOR_TOKEN": ("", "csg_1"),
    "CONSIGNOR_PLAIN_HTTP": ("", "true", "0"),
}


@pytest.mark.parametrize("values", [*zip(*([*v, *v, *v][:6] for v in GIVEN.values()), strict=True)])
def test_what_a_command_reads_by_itself_is_what_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, values: tuple[str, ...]
) -> None:
    for name, value in zip(GIVEN, values, strict=True):
        monkeypatch.setenv(name, value)
    assert ShellSettings.plain() == ShellSettings.complete()


def test_what_takes_more_to_read_is_left_to_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_PLAIN_HTTP", "yes")
    assert shell_settings().plain_http
    for name, wrong in product(("CONSIGNOR_PORT", "CONSIGNOR_PUBLIC_URL"), ("many", "70000")):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(CommandFailed, match=name):
            shell_settings()
        monkeypatch.delenv(name)


def test_a_token_that_none_can_be_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_TOKEN", "sec ret")
    with pytest.raises(CommandFailed, match="CONSIGNOR_TOKEN: a token is one word") as refused:
        shell_settings()
    assert "sec" not in str(refused.value)
