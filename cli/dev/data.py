"""The data folder of a dev stack: whose it is, whether a stack runs on it, and what it says of itself."""

import fcntl
import json
import os
import pwd
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from cli.errors import CommandFailed
from cli.private_files import new_private_file
from cli.runtime.running_stack import RunningStack, announcement, running_stack

_MARKER = "CONSIGNOR"
_MARKER_TEXT = "Made by `consignor dev`. Delete this folder, or start with `consignor dev --fresh`, to start over.\n"
# Everything that Consignor makes under the data folder; `--fresh` removes these and nothing else.
CONTENTS = (
    *("pg", "pg.init", "pg.lock", "pg.password", "temporal", "logs", "dev.json", "dev.json.new"),
    *("sample-archive", "staging", "delivery", "secrets", "cache"),
)


class DataFolder:
    """A folder that belongs to the dev stack."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.logs = self.path / "logs"
        self.temporal = self.path / "temporal"
        self._announcement = announcement(self.path)
        self._marker = self.path / _MARKER

    @contextmanager
    def lock(self, *, fresh: bool = False) -> Iterator[None]:
        """Make the folder if need be and hold it alone for the length of the block."""
        self._adopt()
        # The marker is the lock, for it stays where it is when the rest is deleted.
        with self._marker.open("rb") as marker:
            try:
                fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandFailed(self._in_use()) from None
            # What a killed stack left must not pass for this one's.
            self._announcement.unlink(missing_ok=True)
            if fresh:
                self._empty()
            self._make()
            try:
                yield
            finally:
                self._announcement.unlink(missing_ok=True)

    def announce(self, running: RunningStack) -> None:
        """Tell other commands where the stack is; only this user may read it, and never half of it."""
        new = self._announcement.with_suffix(".json.new")
        new.unlink(missing_ok=True)
        with new_private_file(new) as file:
            file.write(json.dumps(asdict(running), indent=2) + "\n")
        new.replace(self._announcement)

    def link_key(self) -> str:
        """The secret that signs the links of this stack."""
        return self._secret("link-key")

    def cursor_secret(self) -> str:
        """The secret that seals the cursors of this stack."""
        return self._secret("cursor-secret")

    def _secret(self, name: str) -> str:
        """A secret of this stack; made once, for this user's eyes alone."""
        path = self.path / "secrets" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            new = path.with_suffix(".new")
            new.unlink(missing_ok=True)
            with new_private_file(new) as file:
                file.write(secrets.token_hex(32))
            # Linked, not renamed: a key that is there stays, and there is never half of one.
            try:
                path.hardlink_to(new)
            finally:
                new.unlink()
        return path.read_text()

    def running(self) -> RunningStack | None:
        """The stack that runs here, if one does and is ready."""
        return running_stack(self.path)

    def check(self) -> None:
        """Raise CommandFailed where this cannot be, or become, a data folder of this user's."""
        there = next(one for one in (self.path, *self.path.parents) if _is_there(one))
        if not _is_ours(there, os.W_OK | os.X_OK):
            owner = _name_of(there.stat().st_uid)
            how = "it is read-only" if os.geteuid() in {0, there.stat().st_uid} else f"it belongs to {owner}"
            raise CommandFailed(f"{there} cannot be written to, for {how}: choose another folder with --data")
        if there == self.path and not self._marker.exists() and (not there.is_dir() or any(there.iterdir())):
            raise CommandFailed(f"{self.path} is not a Consignor data folder and not empty: choose another with --data")
        if there == self.path and self._marker.exists() and not _is_ours(self._marker, os.R_OK):
            owner = _name_of(self._marker.stat().st_uid)
            raise CommandFailed(f"{self.path} is the data folder of {owner}: choose another folder with --data")

    def _adopt(self) -> None:
        self.check()
        if self._marker.exists():
            return
        self.path.mkdir(parents=True, exist_ok=True)
        self._marker.write_text(_MARKER_TEXT)

    def _make(self) -> None:
        for folder in (self.logs, self.temporal):
            folder.mkdir(mode=0o700, exist_ok=True)
            # One that a former version has made stands open; a mount without modes decides for itself who may look.
            with suppress(PermissionError):
                folder.chmod(0o700)

    def _empty(self) -> None:
        for name in CONTENTS:
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _in_use(self) -> str:
        running = self.running()
        where = f"at {running.api} (process {running.pids['supervisor']})" if running else "and is starting"
        return f"a stack already runs on {self.path} {where}; stop it, or choose another folder with --data"


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        # It is below a folder that is closed to us, which is then the one to be named.
        return False


def _is_ours(path: Path, wanted: int) -> bool:
    return os.access(path, wanted, effective_ids=True)


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
