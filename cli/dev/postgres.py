"""An embedded PostgreSQL: made, started and stopped without root, docker or anything installed by hand."""

import fcntl
import functools
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from cli.dev import orphans
from cli.dev.binaries import ROOTS_WAYS, Identity, dying_with_parent, postgres_binaries, postgres_identity
from cli.dev.ports import LOOPBACK, any_free
from cli.errors import CommandFailed

USER = "consignor"
_POLL = 0.01
_AF_UNIX_PATH_MAX = 107
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# jit only slows down the short queries of a facade; pages and workers of a small stack share 200 connections.
_SETTINGS = (f"listen_addresses={LOOPBACK}", "unix_socket_permissions=0700", "max_connections=200", "jit=off")


class EmbeddedPostgres:
    """One PostgreSQL cluster under a data folder; a context manager for tests, its parts for the supervisor.

    The socket is the way in: its folder admits only this user. The TCP port, for other tools, wants a password.
    """

    def __init__(
        self, data: Path, *, port: int = 0, durable: bool = True, ways: Sequence[Identity] = ROOTS_WAYS
    ) -> None:
        self.data = data.resolve()
        self.port = port or any_free()
        self.durable = durable
        self.cluster = self.data / "pg"
        self.sockets = socket_folder(self.data)
        self.log = self.data / "postgres.log"
        self._binaries = postgres_binaries()
        self._ways = ways
        self._password = self.data / "pg.password"
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @functools.cached_property
    def _identity(self) -> Identity:
        return postgres_identity(self._binaries, self.data, self._ways)

    def prepare(self) -> None:
        """Make the cluster if there is none, clear what was left of the last run; then `command()` may run."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        _private_folder(self.sockets, self._identity.owner)
        if not self.cluster.exists():
            self._initialise()
        _give(self.cluster, self._identity.owner)
        orphans.clear(self.cluster)

    def command(self) -> list[str]:
        """The command line that serves the prepared cluster until SIGINT."""
        settings = _SETTINGS if self.durable else (*_SETTINGS, *_NOT_DURABLE)
        return [
            *self._identity.prefix,
            *dying_with_parent("INT"),
            *(str(self._binaries / "postgres"), "-D", str(self.cluster)),
            *("-k", str(self.sockets), "-p", str(self.port)),
            *(part for setting in settings for part in ("-c", setting)),
        ]

    def url(self, database: str = "consignor") -> str:
        """How SQLAlchemy and psycopg reach a database of the cluster, through the socket."""
        return f"postgresql://{USER}@/{database}?host={self.sockets}&port={self.port}"

    def tcp_url(self, database: str = "consignor") -> str:
        """How any other tool reaches it; carries the password."""
        return f"postgresql://{USER}:{self._password.read_text().strip()}@{LOOPBACK}:{self.port}/{database}"

    def is_ready(self) -> bool:
        """Whether the server takes connections; its eighth line in postmaster.pid is what pg_ctl goes by."""
        lines = orphans.pid_file_lines(self.cluster)
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def wait_ready(self, timeout: float = 60) -> None:
        """Return when connections are taken; raise with the end of the log if the server gave up."""
        died = self._process.poll if self._process else lambda: None
        _wait(lambda: self.is_ready() or died() is not None, timeout)
        if not self.is_ready():
            tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise CommandFailed("PostgreSQL did not start:", *tail.split("\n"))

    def ensure_database(self, name: str = "consignor", template: str = "template1") -> None:
        """Create the database unless it is there."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                return
            create = sql.SQL("create database {} template {}")
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))

    def start(self) -> None:
        """Prepare and serve, as long as the calling thread lives: the kernel ends the server with it."""
        try:
            self.prepare()
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = 8) -> None:
        """End the server, by force if it takes too long, and let go of the folder."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        self.release()

    def release(self) -> None:
        """Let go of the folder and remove the empty socket folder; for callers that ran `command()` themselves."""
        if self._lock:
            shutil.rmtree(self.sockets, ignore_errors=True)
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _take_lock(self) -> None:
        lock = (self.data / "pg.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise CommandFailed(f"another process is running PostgreSQL on {self.data}") from None
        self._lock = lock

    def _initialise(self) -> None:
        unfinished = self.cluster.with_name("pg.init")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        os.chown(unfinished, self._identity.owner, -1)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_urlsafe(24) + "\n")
        program = [*self._identity.prefix, *dying_with_parent("KILL"), str(self._binaries / "initdb")]
        options = ["--username", USER, "--encoding=UTF8", "--locale=C", "--no-instructions"]
        access = ["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=/dev/stdin"]
        done = subprocess.run(
            [*program, "-D", str(unfinished), *options, *access, *([] if self.durable else ["--no-sync"])],
            input=self._password.read_bytes(),
            capture_output=True,
            check=False,
            # Out of reach of the terminal's Ctrl-C, which is for the supervisor to act on.
            start_new_session=True,
        )
        if done.returncode:
            raise CommandFailed("initdb failed:", *done.stderr.decode(errors="replace").split("\n"))
        # `pg` is always whole: an interrupted initdb leaves only `pg.init`, which the next start removes.
        unfinished.rename(self.cluster)


def socket_folder(data: Path) -> Path:
    """A short folder of its own for each data folder and user: a socket's whole path ends at 107 bytes."""
    digest = hashlib.sha256(f"{os.geteuid()}:{data}".encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"consignor-{digest}"
    if len(os.fsencode(folder / ".s.PGSQL.65535")) <= _AF_UNIX_PATH_MAX:
        return folder
    return Path("/tmp") / folder.name  # noqa: S108 - the folder is private and checked


def _private_folder(folder: Path, owner: int) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # In a shared /tmp somebody else could have been first.
    if folder.is_symlink() or found.st_uid not in {os.geteuid(), owner} or found.st_mode & 0o077:
        raise CommandFailed(f"{folder} is not a private folder of yours: remove it")
    os.chown(folder, owner, -1)


def _give(folder: Path, owner: int) -> None:
    if folder.stat().st_uid == owner:
        return
    for parent, _, files in os.walk(folder):
        for path in (Path(parent), *(Path(parent, name) for name in files)):
            os.chown(path, owner, -1, follow_symlinks=False)


def _wait(condition: Callable[[], bool], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(_POLL)
