"""The dev stack that runs on a data folder, as it has announced itself in `dev.json`."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

DEFAULT_DATA = Path(".consignor")


class RunningStack(BaseModel):
    """Where the parts of a running stack are reached."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api: str
    # How people reach it, where that is elsewhere: behind a proxy of this machine.
    public_url: str | None = None
    temporal_ui: str
    temporal_address: str
    temporal_namespace: str
    database_url: str
    pids: Mapping[str, int]


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
        said = RunningStack.model_validate_json(announcement(data).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    return said if _is_alive(said.pids.get("supervisor", 0)) else None


def _is_alive(pid: int) -> bool:
    """Whether the process runs; a killed one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
