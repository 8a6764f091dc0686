"""Secrets at rest: opened by their owner with any key, by nobody else with none."""

import stat
from pathlib import Path

import pytest

from models.errors import Failed, FailureCode
from storage.vault import NoKey, Vault, check_key, key_in, new_key


def test_what_was_sealed_opens_for_its_owner_and_shows_nothing() -> None:
    vault = Vault([new_key()])
    sealed = vault.seal("hush", "maria/bucket")
    assert "hush" not in sealed
    assert vault.open(sealed, "maria/bucket") == "hush"


def test_another_owner_gets_nothing() -> None:
    vault = Vault([new_key()])
    with pytest.raises(Failed) as caught:
        vault.open(vault.seal("hush", "maria/bucket"), "eve/bucket")
    assert caught.value.failure.code is FailureCode.DESTINATION_REFUSED
    assert "hush" not in str(caught.value)


def test_a_key_is_replaced_without_losing_what_the_old_one_sealed() -> None:
    old, new = new_key(), new_key()
    sealed = Vault([old]).seal("hush", "m")
    assert Vault([new, old]).open(sealed, "m") == "hush"
    rotated = Vault([new, old]).rotated(sealed)
    assert Vault([new]).open(rotated, "m") == "hush"
    with pytest.raises(Failed):
        Vault([new]).open(sealed, "m")


def test_without_a_key_nothing_is_kept_and_nothing_opens() -> None:
    with pytest.raises(NoKey):
        Vault().seal("hush", "m")
    with pytest.raises(Failed):
        Vault().open(Vault([new_key()]).seal("hush", "m"), "m")


@pytest.mark.parametrize("damaged", ["", "x", "gAAAAA=="])
def test_what_is_damaged_is_refused(damaged: str) -> None:
    with pytest.raises(Failed):
        Vault([new_key()]).open(damaged, "m")


def test_a_key_in_a_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "delivery.key"
    assert key_in(path) == key_in(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("no key")
    with pytest.raises(ValueError, match="32 random bytes"):
        key_in(path)
    with pytest.raises(ValueError, match="32 random bytes"):
        check_key("ü")
