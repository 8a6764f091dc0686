"""The sample archive is the same everywhere, valid for what it claims to be, and imported once."""

import hashlib
from pathlib import Path

import pystac
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from cli.dev.sample import load_sample_if_empty, write_sample

Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample")).parent


def everything(root: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(file.relative_to(root)): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def test_it_is_the_same_each_time_it_is_made(archive: Path, tmp_path: Path) -> None:
    assert everything(write_sample(tmp_path).parent) == everything(archive)


def test_its_bytes_are_the_same_on_every_machine(archive: Path) -> None:
    scene = archive / "sample-scenes" / "scene-001" / "scene-001.tif"
    assert (
        hashlib.sha256(scene.read_bytes()).hexdigest()
        == "b22ac24e0e90ea258c8e7dd1e4d217eda744b18a9bf64ebf9f6d0df090015183"
    )
    flight = archive / "sample-soundings" / "flight-001" / "flight-001_levels.csv"
    assert (
        hashlib.sha256(flight.read_bytes()).hexdigest()
        == "a75684b4de526b34229f941b86f2da864def513c9acdfd5b666c332a31af5599"
    )


def test_it_is_a_few_megabytes(archive: Path) -> None:
    assert 2e6 < sum(len(content) for _, content in everything(archive).values()) < 8e6


def test_pystac_reads_all_of_it(archive: Path) -> None:
    catalog = pystac.Catalog.from_file(archive / "catalog.json")
    items = list(catalog.get_items(recursive=True))
    assert len(items) == 40
    assert {item.collection_id for item in items} == {"sample-scenes", "sample-soundings", "sample-documents"}
    for asset in (asset for item in items for asset in item.assets.values()):
        content = Path(asset.get_absolute_href() or "").read_bytes()
        assert asset.extra_fields["file:size"] == len(content)
        assert asset.extra_fields["file:checksum"] == f"1220{hashlib.sha256(content).hexdigest()}"


async def test_it_is_loaded_into_an_empty_catalogue_only(sessions: Sessions, database_url: str, tmp_path: Path) -> None:
    assert await load_sample_if_empty(database_url, tmp_path)
    assert not await load_sample_if_empty(database_url, tmp_path)
    counted = (
        "SELECT p.sku, count(DISTINCT o.id), count(*), bool_and(f.sha256 IS NOT NULL) FROM products p"
        " JOIN catalogue_objects o ON o.product_id = p.id JOIN catalogue_files f ON f.object_id = o.id"
        " GROUP BY p.sku ORDER BY p.sku"
    )
    async with sessions.begin() as session:
        found = [tuple(row) for row in await session.execute(text(counted))]
        location = await session.scalar(text("SELECT location FROM products WHERE sku = 'sample-scenes'"))
    assert found == [
        ("sample-documents", 8, 8, True),
        ("sample-scenes", 12, 36, True),
        ("sample-soundings", 20, 60, True),
    ]
    assert location == str(tmp_path / "sample-archive" / "sample-scenes")
