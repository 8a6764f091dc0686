"""Stock download tools, unchanged, against the facade over TCP: what they save is what is on the disk."""

import asyncio
import random
import re
import signal
import subprocess
from itertools import pairwise
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import httpx2
import psycopg
import pytest
import sqlalchemy as sa

from models.links import LinkKeys, archive_path, metalink_path
from models.splitting import Limits
from models.tables import Order
from tests.api.conftest import SCENES
from tests.cli.processes import eventually
from tests.clients.conftest import LINK_KEY
from tests.clients.fault_injection import cutting
from tests.factories import Objects, Sessions, add_order, add_product, make_ready
from tests.tools import tool

HOSTILE: Objects = {
    "../../etc": {"../passwd": b"up", "a&b <c>.txt": b"and"},
    "CON": {"aux.txt": b"device", "trailing. . ": b"dots", "-rf": b"dash", "ma'n\nifest.json": b"odd"},
    "café": {"x.txt": b"composed"},
    "cafe\u0301": {"x.txt": b"decomposed", "X.TXT": b"upper"},
    "manifest.json": {"SHA256SUMS": b"not ours"},
}
RENAME_OBJECT = sa.text("UPDATE catalogue_objects SET name = :new WHERE name = :old")
RENAME_FILE = sa.text("UPDATE catalogue_files SET name = :new WHERE href = :href")
BLOCK = 1024 * 1024


def linked(facade: str, path: str) -> str:
    return f"{facade}/api/v1/links/{LinkKeys([LINK_KEY]).sign(path)}/{path}"


def saved(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ordered(files: Objects) -> dict[str, bytes]:
    return {f"{obj}/{name}": content for obj, contents in files.items() for name, content in contents.items()}


async def tried(*words: str | Path) -> tuple[int, str]:
    """The exit code of a program and what it said."""
    process = await asyncio.create_subprocess_exec(
        *map(str, words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(errors="replace")


async def ran(*words: str | Path) -> str:
    code, output = await tried(*words)
    assert code == 0, output
    return output


def state_of(database_url: str, order: Order) -> list[str]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT state FROM suborders WHERE order_id = %s ORDER BY number", [order.id])
        return [row[0] for row in rows]


async def downloaded(database_url: str, order: Order, count: int = 1) -> None:
    await asyncio.to_thread(
        eventually, lambda: state_of(database_url, order) == ["downloaded"] * count, "all sub-orders are downloaded", 30
    )


@pytest.fixture
async def big(sessions: Sessions, tmp_path: Path) -> tuple[Order, bytes]:
    """A ready order of one file of eight megabytes."""
    content = Random(8).randbytes(8 * BLOCK + 12_345)
    await add_product(sessions, tmp_path / "big", "big", {"scene": {"big.bin": content}})
    order = await add_order(sessions, {"big": "all"})
    await make_ready(sessions, order)
    return order, content


@pytest.mark.parametrize("version", [4, 3])
async def test_aria2_started_before_anything_is_staged_drains_the_whole_order(
    facade: str, database_url: str, sessions: Sessions, tmp_path: Path, version: int
) -> None:
    files = {**SCENES, "autumn": {"b1.tif": Random(1).randbytes(3 * BLOCK), "a & b.txt": b"and"}}
    await add_product(sessions, tmp_path / "scenes", "scenes", files)
    order = await add_order(sessions, {"scenes": "all"})
    target = tmp_path / "target"
    url = linked(facade, metalink_path(order.id, version=version))
    words = ("-q", "-d", target, "-x8", "-s8", "-k1M", "--max-tries=0", "--retry-wait=1", "--follow-metalink=mem", url)
    draining = asyncio.create_task(ran(tool("aria2c"), *words))
    assert httpx2.get(url).status_code == 503
    await make_ready(sessions, order, Limits(max_files=3))
    await draining
    # aria2 keeps the escape of an ampersand in a name, as it does with everybody's.
    expected = {name.replace("&", "&#38;"): content for name, content in ordered(files).items()}
    assert {name.replace("&#38;", "&").replace("&", "&#38;"): data for name, data in saved(target).items()} == expected
    await downloaded(database_url, order, len(state_of(database_url, order)))


@pytest.mark.parametrize("version", [4, 3])
async def test_aria2_checks_what_the_metalink_says(
    facade: str, big: tuple[Order, bytes], tmp_path: Path, version: int
) -> None:
    document = httpx2.get(linked(facade, metalink_path(big[0].id, version=version))).text
    path = tmp_path / "m.metalink"
    path.write_text(re.sub("(<hash[^>]*>)....", r"\g<1>0000", document))
    code, output = await tried(tool("aria2c"), "-d", tmp_path / "target", "-M", path)
    # It holds the hash of the document against that in our Digest header before it reads a byte.
    assert code != 0
    assert "Invalid hash" in output or "checksum" in output.lower(), output


async def test_aria2_mends_a_damaged_piece_by_fetching_that_one_alone(
    facade: str, database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    files = {"scene": {"huge.bin": Random(9).randbytes(BLOCK) * 64, "small.bin": b"small"}}
    await add_product(sessions, tmp_path / "huge", "huge", files)
    order = await add_order(sessions, {"huge": "all"})
    await make_ready(sessions, order, pieces=True)
    target = tmp_path / "target"
    (target / "scene").mkdir(parents=True)
    content = files["scene"]["huge.bin"]
    damaged = bytearray(content)
    damaged[21 * BLOCK] ^= 1
    (target / "scene" / "huge.bin").write_bytes(damaged)
    url = linked(facade, metalink_path(order.id))
    await ran(tool("aria2c"), "-q", "-V", "--allow-overwrite", "-d", target, "--follow-metalink=mem", url)
    assert saved(target) == ordered(files)
    with psycopg.connect(database_url) as connection:
        covered = "SELECT covered FROM file_coverage WHERE order_id = %s"
        ((fetched,),) = connection.execute(covered, [order.id]).fetchall()
    assert [(span.lower, span.upper) for span in fetched] == [(20 * BLOCK, 24 * BLOCK)]


async def test_aria2_goes_on_after_it_was_killed(
    facade: str, database_url: str, big: tuple[Order, bytes], tmp_path: Path
) -> None:
    order, content = big
    url = linked(facade, metalink_path(order.id))
    words = ["-q", "-d", str(tmp_path / "target"), "-x4", "-s4", "-k1M", "--auto-save-interval=1", "-c"]
    words += ["--follow-metalink=mem", "--file-allocation=none", url]
    process = await asyncio.create_subprocess_exec(tool("aria2c"), "--max-overall-download-limit=1M", *words)
    part = tmp_path / "target" / "scene" / "big.bin.aria2"
    await asyncio.to_thread(eventually, part.exists, "a part is there", 30)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert state_of(database_url, order) == ["ready"]
    await ran(tool("aria2c"), *words)
    assert saved(tmp_path / "target") == {"scene/big.bin": content}
    await downloaded(database_url, order)


@pytest.mark.parametrize("words", [("curl", "-sS", "-C", "-", "-o"), ("wget", "-q", "-c", "-t", "1", "-O")])
async def test_a_download_cut_at_random_bytes_is_resumed_to_the_same_archive(
    facade: str, database_url: str, big: tuple[Order, bytes], tmp_path: Path, words: tuple[str, ...]
) -> None:
    program, *options = words
    order, _ = big
    whole = httpx2.get(linked(facade, archive_path(order.id, 1))).content
    chance = random.Random(program)
    target = tmp_path / "archive.zip"
    with cutting(facade) as proxy:
        url = linked(proxy.url, archive_path(order.id, 1))
        for _ in range(10):
            proxy.left = chance.randint(1, 700_000)
            assert (await tried(tool(program), *options, target, url))[0] != 0
            had = target.read_bytes() if target.exists() else b""
            assert had == whole[: len(had)]
        proxy.left = 10**12
        await ran(tool(program), *options, target, url)
    assert target.read_bytes() == whole
    await downloaded(database_url, order)


async def test_wget_takes_a_list_of_links_and_saves_each_file_under_its_own_name(
    facade: str, database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    files = {"scene": {"a & b.txt": b"and", "ü 50%.txt": b"percent"}, "other": {"plain.txt": b"plain"}}
    await add_product(sessions, tmp_path / "scenes", "scenes", files)
    order = await add_order(sessions, {"scenes": "all"})
    await make_ready(sessions, order)
    document = ElementTree.fromstring(httpx2.get(linked(facade, metalink_path(order.id))).content)
    links = tmp_path / "links.txt"
    links.write_text("\n".join(url.text or "" for url in document.iter("{urn:ietf:params:xml:ns:metalink}url")))
    target = tmp_path / "target"
    await ran(tool("wget"), "-q", "-P", target, "-i", links)
    assert saved(target) == {name: content for contents in files.values() for name, content in contents.items()}
    await downloaded(database_url, order)


async def test_ten_pieces_count_as_a_download_but_a_head_and_a_cut_connection_do_not(
    facade: str, database_url: str, big: tuple[Order, bytes], tmp_path: Path
) -> None:
    order, _ = big
    url = linked(facade, archive_path(order.id, 1))
    size = int(httpx2.head(url).headers["content-length"])
    with cutting(facade) as proxy:
        proxy.left = size - BLOCK
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url.replace(facade, proxy.url))
    edges = [size * n // 10 for n in range(11)]
    for first, behind in pairwise(edges[:-1]):
        assert httpx2.get(url, headers={"Range": f"bytes={first}-{behind - 1}"}).status_code == 206
    assert state_of(database_url, order) == ["ready"]
    assert httpx2.get(url, headers={"Range": f"bytes={edges[-2]}-"}).status_code == 206
    await downloaded(database_url, order)


@pytest.fixture
async def hostile(facade: str, sessions: Sessions, tmp_path: Path) -> Path:
    """A downloaded archive of names that mean harm."""
    safe = {f"o{n}": dict(zip("abcd", files.values(), strict=False)) for n, files in enumerate(HOSTILE.values())}
    await add_product(sessions, tmp_path / "scenes", "scenes", safe)
    # No disk takes these names; a catalogue does.
    async with sessions.begin() as session:
        for n, (obj, files) in enumerate(HOSTILE.items()):
            await session.execute(RENAME_OBJECT, {"old": f"o{n}", "new": obj})
            for key, name in zip("abcd", files, strict=False):
                await session.execute(RENAME_FILE, {"href": f"o{n}/{key}", "new": name})
    order = await add_order(sessions, {"scenes": "all"})
    await make_ready(sessions, order)
    target = tmp_path / "hostile.zip"
    await ran(tool("curl"), "-sSf", "-o", target, linked(facade, archive_path(order.id, 1)))
    return target


CHECKS = [("unzip", "-tqq"), ("bsdtar", "-tf"), ("7z", "t")]


@pytest.mark.parametrize("words", CHECKS)
async def test_archives_of_hostile_names_are_sound_to_every_tool(hostile: Path, words: tuple[str, ...]) -> None:
    await ran(tool(words[0]), *words[1:], hostile)


@pytest.mark.parametrize("words", [("unzip", "-q", "{}", "-d"), ("bsdtar", "-xf", "{}", "-C"), ("7z", "x", "{}", "-o")])
async def test_what_is_extracted_from_hostile_names_proves_itself(
    hostile: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    target = tmp_path / "extracted" / "deep" / "down"
    target.mkdir(parents=True)
    program, *options = (word.format(hostile) for word in words)
    last = [f"-o{target}"] if program == "7z" else [options[-1], str(target)]
    await ran(tool(program), *options[:-1], *last)
    await ran("/bin/sh", "-c", f"cd '{target}' && sha256sum --strict --quiet -c SHA256SUMS")
    found = saved(target)
    contents = [content for files in HOSTILE.values() for content in files.values()]
    assert sorted(data for name, data in found.items() if "/" in name) == sorted(contents)
    assert set(saved(tmp_path / "extracted")) == {f"deep/down/{name}" for name in found}
