"""Stock programs that tests run."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest


def tool(name: str) -> str:
    """The path of a program; where it is missing the test is skipped, and fails under CI."""
    if name == "aria2c" and (found := find_spec("aria2c")) and found.submodule_search_locations:
        inside = Path(found.submodule_search_locations[0]) / "bin" / "aria2c"
        if inside.exists():
            return str(inside)
    path = shutil.which(name)
    if path is None:
        unavailable(f"{name} is not installed")
    return path


def unavailable(what: str) -> NoReturn:
    """Skip a test for want of a tool; under CI nothing is left out, so it fails there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}; `.ci/run` installs what tests need")
    pytest.skip(what)
