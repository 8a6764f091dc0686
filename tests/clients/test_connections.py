"""What the connection under a download tells: a client that takes nothing is cut off, and counts for nothing."""

import asyncio
import socket
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import psycopg
import pytest

from models.links import archive_path
from tests.cli.processes import eventually
from tests.clients.conftest import Serve
from tests.clients.test_download_tools import linked, state_of
from tests.factories import Sessions, add_order, add_product, make_ready


def open_downloads(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT count(*) FROM downloads").fetchone()
    assert found
    return int(found[0])


def asking(url: str) -> socket.socket:
    """A client that has asked and reads nothing; its machine takes what little it must."""
    where = urlsplit(url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((where.hostname, where.port))
    client.sendall(f"GET {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
    return client


@pytest.mark.parametrize("size", [12 * 1024 * 1024])
async def test_a_client_that_takes_nothing_is_cut_off_and_has_nothing(
    serve: Serve, database_url: str, sessions: Sessions, tmp_path: Path, size: int
) -> None:
    await add_product(sessions, tmp_path / "big", "big", {"scene": {"big.bin": Random(size).randbytes(size)}})
    order = await add_order(sessions, {"big": "all"})
    await make_ready(sessions, order)
    with serve(CONSIGNOR_STALLED_AFTER="PT2S") as facade:
        client = asking(linked(facade, archive_path(order.id, 1)))
        if size > 1024 * 1024:
            await asyncio.to_thread(eventually, lambda: open_downloads(database_url) == 1, "the download is noted")
        await asyncio.to_thread(eventually, lambda: open_downloads(database_url) == 0, "the download is over")
        client.close()
        assert state_of(database_url, order) == ["ready"]
