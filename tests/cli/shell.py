"""Commands given in this process: all of `consignor` but the start of a Python, which takes longer than the rest."""

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.main import main


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


def run(where: Mapping[str, str], *words: str | Path, stdin: str | None = None) -> Done:
    """Give a command with these variables on top of the environment's, and with lines on its standard input."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in where.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["consignor", *map(str, words)])
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.setattr(sys, "stdin", io.StringIO(stdin or ""))
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Done(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


def consignor(where: Mapping[str, str], *words: str | Path) -> str:
    """What a command prints; it has to succeed."""
    done = run(where, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def asked(where: Mapping[str, str], *words: str | Path) -> Any:
    """The JSON a command prints."""
    return json.loads(consignor(where, *words, "--json"))
