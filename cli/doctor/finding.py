"""What the doctor has found, and how a check that breaks off becomes a finding too."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from cli.errors import failure_of


class State(StrEnum):
    """How it stands: `warning` lets everything start, and something will not work."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; unless it is `ok`, `remedy` says what to do."""

    subject: str
    state: State
    text: str
    remedy: str | None = None

    @classmethod
    def ok(cls, subject: str, text: str) -> Self:
        """Make one of what is as it should be."""
        return cls(subject, State.OK, text)

    @classmethod
    def warning(cls, subject: str, text: str, remedy: str) -> Self:
        """Make one of what lets everything start."""
        return cls(subject, State.WARNING, text, remedy)

    @classmethod
    def failed(cls, subject: str, text: str, remedy: str) -> Self:
        """Make one of what stands in the way of a start."""
        return cls(subject, State.FAILED, text, remedy)

    @classmethod
    def broken_off(cls, subject: str, error: Exception) -> Self:
        """Make one of a check that could not be finished."""
        told = str(failure_of(error) or error).partition("\n")[0] or type(error).__name__
        return cls.failed(subject, told, "mend that, and look again")
