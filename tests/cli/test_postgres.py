"""The embedded PostgreSQL starts for anybody, anywhere, and again after the worst."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from cli.dev.binaries import BY_SETUID, Identity, dying_with_parent, postgres_binaries
from cli.dev.postgres import EmbeddedPostgres, socket_folder
from cli.errors import CommandFailed
from tests.cli.processes import eventually, is_alive

HOLDER = """
import sys, time
from pathlib import Path
from cli.dev.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server._process.pid, server.url("postgres"), flush=True)
time.sleep(600)
"""


def count_of(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute(f"select count(*) from {table}").fetchone()
        return int(found[0]) if found else -1


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped cluster to copy: initdb once is enough."""
    data = tmp_path_factory.mktemp("cluster")
    with EmbeddedPostgres(data, durable=False) as server:
        server.ensure_database()
    return data


@pytest.fixture
def data(cluster: Path, tmp_path: Path) -> Path:
    return shutil.copytree(cluster, tmp_path / "data", copy_function=shutil.copy2)


def test_a_fresh_folder_becomes_a_utf8_cluster_with_a_database(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "new", durable=False) as server:
        server.ensure_database()
        server.ensure_database()
        with psycopg.connect(server.url()) as connection:
            encoding = connection.execute("show server_encoding").fetchone()
            collation = connection.execute("select datcollate from pg_database where datname = 'consignor'")
            assert encoding == ("UTF8",)
            assert collation.fetchone() == ("C",)


def test_trigrams_are_there(data: Path) -> None:
    with EmbeddedPostgres(data, durable=False) as server, psycopg.connect(server.url()) as connection:
        connection.execute("create extension pg_trgm")


def test_a_second_start_finds_the_data(data: Path) -> None:
    with EmbeddedPostgres(data) as server, psycopg.connect(server.url()) as connection:
        connection.execute("create table kept as select 1")
    with EmbeddedPostgres(data) as server:
        assert count_of(server.url(), "kept") == 1


@pytest.mark.parametrize("name", ["with spaces and ünïcode", "quote ' \" percent % hash # question ?", "long" * 60])
def test_the_name_of_the_folder_does_not_matter(cluster: Path, tmp_path: Path, name: str) -> None:
    data = tmp_path / name[:250]
    shutil.copytree(cluster, data)
    with EmbeddedPostgres(data, durable=False) as server:
        assert count_of(server.url(), "pg_database") >= 1


def test_the_socket_path_is_short_and_differs_by_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path.joinpath(*["deep"] * 60)
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    assert len(str(socket_folder(deep) / ".s.PGSQL.65535")) <= 107
    assert socket_folder(deep) != socket_folder(tmp_path)


def test_the_socket_folder_admits_nobody_else_and_is_gone_afterwards(data: Path) -> None:
    with EmbeddedPostgres(data, durable=False) as server:
        assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert not server.sockets.exists()


def test_a_socket_folder_that_others_can_write_is_refused(data: Path) -> None:
    server = EmbeddedPostgres(data, durable=False)
    server.sockets.mkdir()
    server.sockets.chmod(0o777)
    with pytest.raises(CommandFailed, match="not a private folder"):
        server.start()


def test_the_tcp_port_wants_the_password(data: Path) -> None:
    with EmbeddedPostgres(data, durable=False) as server:
        with psycopg.connect(server.tcp_url()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.tcp_url(), password="guess")


def test_two_servers_on_one_folder_are_refused(data: Path) -> None:
    with EmbeddedPostgres(data, durable=False) as first:
        with pytest.raises(CommandFailed, match="another process"):
            EmbeddedPostgres(data, durable=False).start()
        assert count_of(first.url(), "pg_database") >= 1


def test_an_interrupted_initdb_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "pg.init").mkdir()
    (tmp_path / "pg.init" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path, durable=False) as server:
        assert count_of(server.url("postgres"), "pg_database") >= 1


def test_killing_the_owner_ends_the_server_and_the_next_start_finds_what_was_committed(data: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(data)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    pid, url = holder.stdout.readline().split()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table kept as select 1")
    holder.kill()
    holder.communicate()
    with EmbeddedPostgres(data, durable=False) as server:
        assert count_of(server.url("postgres"), "kept") == 1
    eventually(lambda: not is_alive(int(pid)), "the orphan is gone")


def test_a_killed_server_starts_again_at_once(data: Path) -> None:
    server = EmbeddedPostgres(data, durable=False)
    server.start()
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGKILL)
    server.stop()
    with EmbeddedPostgres(data, durable=False) as again:
        assert count_of(again.url(), "pg_database") >= 1


def test_a_pid_file_that_names_somebody_else_does_not_stand_in_the_way(data: Path) -> None:
    server = EmbeddedPostgres(data, durable=False)
    server.start()
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGKILL)
    server.stop()
    # After a restart of a container the number is another process's: here, a sleeper's.
    with subprocess.Popen([*dying_with_parent("KILL"), "sleep", "600"]) as sleeper:
        pid_file = data / "pg" / "postmaster.pid"
        _, *rest = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text("".join([f"{sleeper.pid}\n", *rest]))
        with EmbeddedPostgres(data, durable=False) as again:
            assert count_of(again.url(), "pg_database") >= 1
        assert sleeper.poll() is None
        sleeper.kill()


def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    (data / "pg" / "postgresql.conf").write_text("nonsense = 1\n")
    with pytest.raises(CommandFailed, match="unrecognized configuration parameter"):
        EmbeddedPostgres(data, durable=False).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_runs_it_without_user_namespaces_too_below_a_folder_that_is_closed_to_others(data: Path) -> None:
    data.parent.chmod(0o700)
    with EmbeddedPostgres(data, durable=False, ways=(Identity(("false",), 0), BY_SETUID)) as server:
        assert (data / "pg").stat().st_uid == 65534
        assert count_of(server.url(), "pg_database") >= 1
    with EmbeddedPostgres(data, durable=False) as server:
        assert (data / "pg").stat().st_uid == 0
        assert count_of(server.url(), "pg_database") >= 1


AS_A_POOR_ROOT = """
import sys
from pathlib import Path
from cli.dev.binaries import BY_SETUID, Identity, postgres_binaries, postgres_identity
from cli.errors import CommandFailed
try:
    postgres_identity(postgres_binaries(), Path(sys.argv[1]), (Identity(("false",), 0), BY_SETUID))
except CommandFailed as refused:
    print(refused)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
@pytest.mark.parametrize(
    ("lacking", "remedy"),
    [
        (
            "-dac_override,-dac_read_search",
            "give the container that (`--cap-add DAC_OVERRIDE`), run as an ordinary user",
        ),
        ("-setuid,-setgid", "neither user namespaces nor setuid: run as an ordinary user, or set DATABASE_URL"),
    ],
)
def test_a_root_that_may_do_little_below_a_closed_folder_is_told_what_to_do(
    tmp_path: Path, lacking: str, remedy: str
) -> None:
    tmp_path.chmod(0o700)
    poor = ["setpriv", f"--bounding-set={lacking}", sys.executable, "-c", AS_A_POOR_ROOT, str(tmp_path)]
    told = subprocess.run(poor, capture_output=True, text=True, check=True).stdout
    assert remedy in told
    assert told.count("\n") == 1


def test_pg_bin_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = postgres_binaries()
    for name in ("initdb", "postgres"):
        (tmp_path / name).symlink_to(wheel / name)
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    assert postgres_binaries() == tmp_path


def test_missing_binaries_are_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(CommandFailed, match="DATABASE_URL"):
        postgres_binaries()
