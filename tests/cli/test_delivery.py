"""The operator's side of deliveries: settings that are refused with their remedy, and keys that are replaced."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from cli.errors import CommandFailed
from cli.runtime.delivery_targets import delivery_targets, rotate
from cli.runtime.settings import Settings
from models.destination import owner_of
from models.tables import Destination
from storage.vault import Vault, new_key
from tests.services.catalogue_sources import rows


async def test_keys_are_replaced_for_all_destinations_or_for_none(
    sessions: async_sessionmaker[AsyncSession], database_url: str
) -> None:
    old, new = new_key(), new_key()
    async with sessions.begin() as session:
        for name in ("a", "b"):
            sealed = Vault([old]).seal(f"secret of {name}", owner_of("local", name))
            session.add(
                Destination(customer="local", name=name, kind="s3", prefix="", bucket="abc", credentials=sealed)
            )

    def settings(*keys: str) -> Settings:
        return Settings(DATABASE_URL=database_url, delivery_keys=tuple(map(SecretStr, keys)))

    for keys in ((), (new,)):
        with pytest.raises(CommandFailed, match="CONSIGNOR_DELIVERY_KEYS"):
            await rotate(settings(*keys))
    for _ in range(2):
        assert await rotate(settings(new, old)) == 2
    kept = await rows(sessions, "SELECT credentials FROM destinations ORDER BY name")
    assert [Vault([new]).open(s, owner_of("local", n)) for s, n in zip(kept, "ab", strict=True)] == [
        "secret of a",
        "secret of b",
    ]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONSIGNOR_DELIVERY_ROOTS", '["exports"]'),
        ("CONSIGNOR_DELIVERY_ROOTS", '["/exports/../etc"]'),
        ("CONSIGNOR_DELIVERY_KEYS", '["hush-hush"]'),
        ("CONSIGNOR_ARCHIVE_FILENAME", "{label}.zip"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "hush-hush" not in "".join(fault["msg"] for fault in caught.value.errors())


def test_what_is_set_is_what_is_allowed(tmp_path: Path) -> None:
    made = delivery_targets(Settings(delivery_roots=(tmp_path,), archive_filename="{number}-{suborder}.zip"))
    assert made.allowed.roots == (str(tmp_path),)
    assert made.filename == "{number}-{suborder}.zip"
