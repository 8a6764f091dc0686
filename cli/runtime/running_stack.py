"""The dev stack that runs on a data folder, as it has announced itself in `dev.json`."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

DEFAULT_DATA = Path(".consignor")


@dataclass(frozen=True)
class RunningStack:
    """Where the parts of a running stack are reached. Plain, for every command that asks the API reads one."""

    api: str
    temporal_ui: str
    temporal_address: str
    temporal_namespace: str
    database_url: str
    pids: Mapping[str, int]
    # How people reach the API, where that is elsewhere: behind a proxy of this machine.
    public_url: str | None = None

    @classmethod
    def of(cls, announced: Any) -> Self:
        """The stack as a release of ours has announced it, with whatever else is said. Raises TypeError."""
        if not isinstance(announced, dict) or not isinstance(announced.get("pids"), dict):
            raise TypeError("no announcement")
        known = {field.name: announced[field.name] for field in fields(cls) if field.name in announced}
        texts = (value for name, value in known.items() if name not in {"pids", "public_url"})
        numbers = known["pids"].values()
        if not all(isinstance(text, str) for text in texts) or not all(isinstance(pid, int) for pid in numbers):
            raise TypeError("no announcement")
        return cls(**known)


def nearest_data() -> Path:
    """The data folder of the stack that has announced itself here or in a folder above; else the one of this folder.

    A folder above counts only if it is ours: who follows a stranger's announcement shows a stranger its tokens.
    """
    for folder in () if announcement(DEFAULT_DATA).exists() else Path.cwd().parents:
        with suppress(OSError):
            if announcement(folder / DEFAULT_DATA).stat().st_uid == os.getuid():
                return folder / DEFAULT_DATA
    return DEFAULT_DATA


def announcement(data: Path) -> Path:
    """The file in which the stack on this folder says where it is."""
    return data.expanduser().resolve() / "dev.json"


def running_stack(data: Path) -> RunningStack | None:
    """The stack that runs on this folder, if one does and is ready."""
    try:
        said = RunningStack.of(json.loads(announcement(data).read_bytes()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    return said if _is_alive(said.pids.get("supervisor", 0)) else None


def nothing_runs(data: Path, variable: str) -> str:
    """What a person is told where no stack runs and the variable that names another is not set."""
    return (
        f"no stack runs on {data.absolute()} or above it and {variable} is not set: start one with `make dev`"
        f" (or `consignor dev`), name its folder in CONSIGNOR_DATA, or set {variable}"
    )


def _is_alive(pid: int) -> bool:
    """Whether the process runs; a killed one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
