"""A data folder is held by one stack at a time, and only what Consignor made in it is ever deleted."""

import stat
from pathlib import Path

import pytest

from cli.dev.data import DataFolder
from cli.dev.ports import any_free, free_port, is_free
from cli.errors import CommandFailed


def test_a_new_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "a" / "b").lock():
        assert (tmp_path / "a" / "b" / "logs").is_dir()


def test_logs_and_what_temporal_keeps_are_for_this_user_alone_also_where_they_stood_open(tmp_path: Path) -> None:
    (tmp_path / "CONSIGNOR").touch()
    (tmp_path / "logs").mkdir(mode=0o755)
    with DataFolder(tmp_path).lock():
        assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("logs", "temporal")] == [0o700] * 2


def test_a_folder_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("dear")
    for fresh in (False, True):
        with pytest.raises(CommandFailed, match="not a Consignor data folder"), DataFolder(tmp_path).lock(fresh=fresh):
            pytest.fail("it was taken")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_fresh_deletes_what_consignor_made_and_nothing_else(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("dear")
    data = tmp_path / "data"
    with DataFolder(data).lock():
        (data / "pg").mkdir()
        (data / "pg" / "PG_VERSION").write_text("18")
        (data / "sample-archive").symlink_to(elsewhere)
        (data / "notes.txt").write_text("mine")
    with DataFolder(data).lock(fresh=True):
        assert not (data / "pg").exists()
        assert not (data / "sample-archive").is_symlink()
        assert (data / "logs").is_dir()
    assert (data / "notes.txt").read_text() == "mine"
    assert (elsewhere / "precious").read_text() == "dear"


def test_a_folder_in_use_is_not_taken_twice_nor_made_fresh(tmp_path: Path) -> None:
    with DataFolder(tmp_path).lock():
        (tmp_path / "pg").mkdir()
        with pytest.raises(CommandFailed, match="already runs"), DataFolder(tmp_path).lock(fresh=True):
            pytest.fail("it was taken")
        assert (tmp_path / "pg").is_dir()


def test_the_preferred_port_is_taken_and_a_busy_one_gives_way_to_its_neighbour() -> None:
    import socket

    port = any_free()
    assert free_port(port) == port
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert port < free_port(port)
