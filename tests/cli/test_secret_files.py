"""Secrets from files: any of them, and never silently none."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.credentials import credential_for
from cli.dev.data import DataFolder
from cli.dev.endpoints import choose
from cli.dev.stack import own_settings
from cli.dev.temporal import temporal_dev
from cli.errors import CommandFailed
from cli.runtime.loading import from_environment, temporal_config
from cli.runtime.secret_files import secret_fields, variable_of
from cli.runtime.settings import Settings
from storage.vault import new_key

KEY = new_key()

GOOD = {
    "CONSIGNOR_CURSOR_SECRET": "c" * 32,
    "CONSIGNOR_DELIVERY_KEYS": f"{KEY}\n{KEY}",
    "CONSIGNOR_LINK_KEYS": "k" * 32,
    "CONSIGNOR_OIDC_CLIENT_SECRET": "of the client",
    "CONSIGNOR_PAYMENT_WEBHOOK_SECRETS": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "CONSIGNOR_TOKEN": "csg_1",
    "DATABASE_URL": "postgres://user:password@db/consignor",
}


def values(field: object) -> list[str]:
    """A setting as texts."""
    several = field if isinstance(field, tuple) else (field,)
    return [one.get_secret_value() if isinstance(one, SecretStr) else str(one) for one in several]


def test_every_setting_that_holds_a_secret_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = {variable_of(name, field, "CONSIGNOR_"): name for name, field in secret_fields(Settings).items()}
    assert names.keys() == GOOD.keys()
    for variable, content in GOOD.items():
        path = tmp_path / variable
        path.write_text(f"{content}\n")
        monkeypatch.setenv(f"{variable}_FILE", str(path))
    settings = from_environment()
    for variable, content in GOOD.items():
        expected = [content.replace("postgres:", "postgresql:")] if "_URL" in variable else content.split("\n")
        assert values(getattr(settings, names[variable])) == expected
    assert credential_for("https://orders.example").token() == "csg_1"


def test_temporals_key_is_read_from_a_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of temporal\n")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY_FILE", str(tmp_path / "key"))
    assert temporal_config()["api_key"] == "of temporal"


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read (No such file or directory)"), (b" \n", "is empty"), (b"\xff", "is no text")],
)
def test_a_file_without_a_secret_is_refused_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("CONSIGNOR_OIDC_CLIENT_SECRET_FILE", str(path))
    with pytest.raises(CommandFailed) as refused:
        from_environment()
    assert str(refused.value).startswith(f"CONSIGNOR_OIDC_CLIENT_SECRET_FILE: {path} {words}")


def test_a_secret_that_is_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one")
    monkeypatch.setenv("CONSIGNOR_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("CONSIGNOR_TOKEN", "another")
    with pytest.raises(CommandFailed, match="CONSIGNOR_TOKEN and CONSIGNOR_TOKEN_FILE are both set"):
        from_environment()


def test_what_a_file_holds_is_checked_as_the_variable_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("long-enough-to-sign-links-with-it\nshort")
    monkeypatch.setenv("CONSIGNOR_LINK_KEYS_FILE", str(tmp_path / "keys"))
    with pytest.raises(CommandFailed, match=r"CONSIGNOR_LINK_KEYS: .*fewer than 32 characters"):
        from_environment()


def test_a_dev_stack_takes_a_database_from_a_file_and_makes_no_secret_that_one_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("DATABASE_URL", "CONSIGNOR_LINK_KEYS"):
        (tmp_path / variable).write_text(GOOD[variable])
        monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / variable))
    assert choose("127.0.0.1", 0, temporal_dev()).outside_database == "postgresql://user:password@db/consignor"
    made = own_settings(DataFolder(tmp_path))
    assert "CONSIGNOR_LINK_KEYS" not in made
    assert {"CONSIGNOR_CURSOR_SECRET", "CONSIGNOR_DELIVERY_KEYS"} <= made.keys()
