"""What a judge finds, and which of it is excepted: `exceptions.toml` names each with its reason, and nothing else."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

EXCEPTIONS = Path(__file__).parent / "exceptions.toml"


@dataclass(frozen=True)
class Finding:
    """Something that a tool finds wrong: its rule, the place, and what it says."""

    tool: str
    rule: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.tool}: {self.rule} at {self.where}: {self.text}"


@dataclass(frozen=True)
class Exempt:
    """A rule that is not heeded in some places, and why."""

    tool: str
    rule: str
    where: str
    why: str

    def covers(self, found: Finding) -> bool:
        """Whether a finding is meant."""
        return (self.tool, self.rule) == (found.tool, found.rule) and re.search(self.where, found.where) is not None


def exceptions() -> list[Exempt]:
    """Those of the project."""
    return [Exempt(**one) for one in tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8"))["exception"]]


def judged(found: Iterable[Finding], tools: Iterable[str], excepted: list[Exempt]) -> list[str]:
    """What is not as it should be: findings that nothing excepts, and exceptions of these tools that nothing needs."""
    there = list(dict.fromkeys(found))
    wrong = [str(finding) for finding in there if not any(one.covers(finding) for one in excepted)]
    unneeded = [one for one in excepted if one.tool in tools and not any(map(one.covers, there))]
    return wrong + [f"{one.tool}: nothing needs the exception from {one.rule} at {one.where}" for one in unneeded]
