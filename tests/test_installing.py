"""What is installed is known by its hash: what runs, what tests, and what installs and builds all of it."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock", "requirements-bench.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(name: str) -> dict[str, str]:
    """The versions that a lock pins; fails where one has no hash."""
    pins = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8"))
    found = {}
    for pin in pins:
        if pin.startswith("#"):
            continue
        matched = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", pin)
        assert matched is not None, pin
        assert "--hash=sha256:" in pin, pin
        found[matched[1]] = matched[2]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_whatever_is_locked_has_its_hash(name: str) -> None:
    assert len(locked(name)) >= 2


def test_every_installation_of_the_makefile_goes_by_hashes() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    installing = [line for line in lines if re.search(r"\bpip (install|sync)\b", line)]
    assert len(installing) >= 4
    assert [line for line in installing if not re.search(r"--require-hashes|--build-constraints", line)] == []


def test_what_builds_is_what_the_project_asks_for() -> None:
    wanted = [*PROJECT["build-system"]["requires"], *PROJECT["dependency-groups"]["build"]]
    pins = locked("requirements-build.lock")
    for requirement in map(Requirement, wanted):
        assert pins[requirement.name] in requirement.specifier
