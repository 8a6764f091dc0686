"""Settings come from the environment, else from the stack that runs on the data folder, else nowhere, and say so."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cli.dev.data import DataFolder
from cli.errors import CommandFailed
from cli.runtime.loading import from_environment, load_settings, temporal_config
from cli.runtime.running_stack import RunningStack
from cli.runtime.settings import Settings
from models.verify import Verify

RUNNING = RunningStack(
    api="http://127.0.0.1:8123",
    temporal_ui="http://127.0.0.1:8233",
    temporal_address="127.0.0.1:7999",
    temporal_namespace="consignor",
    database_url="postgresql://consignor@/consignor?host=/tmp/x&port=1",
    pids={"supervisor": os.getpid()},
)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A data folder whose stack is, as far as anybody can see, this process."""
    monkeypatch.setenv("CONSIGNOR_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return DataFolder(tmp_path)


def test_without_environment_the_running_stack_is_found(stack: DataFolder) -> None:
    stack.announce(RUNNING)
    assert load_settings().database_url == RUNNING.database_url
    assert load_settings().api_url == RUNNING.api
    assert temporal_config() == {"target_host": "127.0.0.1:7999", "namespace": "consignor"}


def test_the_stack_in_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".consignor").mkdir()
    DataFolder(tmp_path / ".consignor").announce(RUNNING)
    assert load_settings().database_url == RUNNING.database_url


def test_a_stack_is_found_from_any_folder_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "project" / "src"
    (tmp_path / ".consignor").mkdir()
    below.mkdir(parents=True)
    DataFolder(tmp_path / ".consignor").announce(RUNNING)
    monkeypatch.chdir(below)
    assert load_settings().database_url == RUNNING.database_url
    (below / ".consignor").mkdir()
    DataFolder(below / ".consignor").announce(replace(RUNNING, database_url="postgresql://nearer"))
    assert load_settings().database_url == "postgresql://nearer"


def test_a_stack_above_that_is_somebody_elses_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".consignor").mkdir()
    (tmp_path / "here").mkdir()
    DataFolder(tmp_path / ".consignor").announce(RUNNING)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(os, "getuid", lambda: 2**20)
    with pytest.raises(CommandFailed, match="or above it"):
        load_settings()


def test_the_environment_wins(stack: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.announce(RUNNING)
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/orders")
    monkeypatch.setenv("CONSIGNOR_PORT", "9000")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    assert load_settings().database_url == "postgresql://elsewhere/orders"
    assert load_settings().port == 9000
    assert temporal_config() == {"target_host": "temporal.example:7233"}


def test_temporals_own_file_wins_over_the_stack(
    stack: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.announce(RUNNING)
    (tmp_path / "temporal.toml").write_text('[profile.default]\naddress = "file.example:7233"\nnamespace = "ours"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    assert temporal_config() == {"target_host": "file.example:7233", "namespace": "ours"}


def test_nothing_found_names_the_remedies(stack: DataFolder) -> None:
    with pytest.raises(CommandFailed, match=r"make dev.*DATABASE_URL"):
        load_settings()
    with pytest.raises(CommandFailed, match=r"make dev.*TEMPORAL_ADDRESS"):
        temporal_config()


def test_what_a_dead_stack_left_is_not_believed(stack: DataFolder) -> None:
    stack.announce(replace(RUNNING, pids={"supervisor": 2**22 + 1}))
    with pytest.raises(CommandFailed):
        load_settings()


@pytest.mark.parametrize("text", ["", "{", '{"api": 3}'])
def test_a_broken_announcement_is_none(stack: DataFolder, tmp_path: Path, text: str) -> None:
    (tmp_path / "dev.json").write_text(text)
    assert stack.running() is None


def test_the_announcement_is_for_its_owner_alone(stack: DataFolder, tmp_path: Path) -> None:
    stack.announce(RUNNING)
    assert (tmp_path / "dev.json").stat().st_mode & 0o777 == 0o600
    assert stack.running() == RUNNING


def test_a_wrong_setting_is_named_as_the_person_wrote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_PORT", "many")
    with pytest.raises(CommandFailed, match="CONSIGNOR_PORT: Input should be a valid integer"):
        load_settings()


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_PORT", "")
    assert Settings().port == 8000


def test_the_old_scheme_of_a_database_url_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://server/orders")
    assert load_settings().database_url == "postgresql://server/orders"


def test_sizes_may_carry_their_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_MAX_BYTES_PER_SUBORDER", "3GiB")
    assert Settings().max_bytes_per_suborder == 3 * 1024**3


def test_the_public_url_is_how_the_api_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_PUBLIC_URL", "https://orders.example/")
    assert Settings().api_url == "https://orders.example"


def test_how_far_known_files_are_trusted_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().verify is Verify.CHANGED
    monkeypatch.setenv("CONSIGNOR_VERIFY", "never")
    assert Settings().verify is Verify.NEVER


def test_pieces_are_hashed_only_where_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Settings().pieces
    monkeypatch.setenv("CONSIGNOR_PIECES", "true")
    assert Settings().pieces


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("::1", "http://[::1]:8000"),
        ("[::1]", "http://[::1]:8000"),
        ("2001:db8::7", "http://[2001:db8::7]:8000"),
        # What stands for every address is none that anybody could go to.
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
    ],
)
def test_a_url_names_the_host_as_urls_do(monkeypatch: pytest.MonkeyPatch, host: str, url: str) -> None:
    monkeypatch.setenv("CONSIGNOR_HOST", host)
    assert Settings().api_url == url
    assert Settings().host == host.strip("[]")


def test_a_stack_on_an_ipv6_address_is_found(stack: DataFolder) -> None:
    stack.announce(replace(RUNNING, api="http://[::1]:8123"))
    assert (load_settings().host, load_settings().api_url) == ("::1", "http://[::1]:8123")


def test_a_public_url_may_have_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_PUBLIC_URL", "https://host.example/at/consignor/")
    assert Settings().api_url == "https://host.example/at/consignor"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CONSIGNOR_PUBLIC_URL", "orders.example.org", "CONSIGNOR_PUBLIC_URL: .*as clients write it"),
        ("CONSIGNOR_PUBLIC_URL", "https://host?x=1", "CONSIGNOR_PUBLIC_URL: .*as clients write it"),
        ("CONSIGNOR_WORKER_METRICS", "::1:9464", "CONSIGNOR_WORKER_METRICS: "),
        ("CONSIGNOR_CORS_ORIGINS", '["maps.example.org"]', "CONSIGNOR_CORS_ORIGINS: .*is no origin"),
        ("CONSIGNOR_CORS_ORIGINS", "https://maps.example.org", "CONSIGNOR_CORS_ORIGINS: write it as JSON"),
    ],
)
def test_what_cannot_be_a_setting_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(CommandFailed, match=told):
        from_environment()


def test_any_origin_with_credentials_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_CORS_ORIGINS", '["*"]')
    assert from_environment().cors.origins == {"*"}
    monkeypatch.setenv("CONSIGNOR_CORS_CREDENTIALS", "true")
    with pytest.raises(CommandFailed, match="any page could act"):
        from_environment()
