"""What reaches the terminal: all that a command prints, with what came from elsewhere made harmless.

Names, labels, reasons, messages of servers and documents of strangers may hold what a terminal obeys (escape sequences,
line ends) or what reorders its lines. A line is printed with such characters escaped, as Python writes them; who prints
several lines gives each by itself, so that no text of others begins one.
"""

import re
import sys
from typing import Any

import typer

from models.text import shown

# What JSON may hold raw and a terminal must not; JSON has an escape for each that means the same.
_NOT_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def say(*lines: str, err: bool = False) -> None:
    """Print lines, on stderr with `err`."""
    for line in lines:
        typer.echo(shown(line), err=err)


def say_json(value: Any, *, one_line: bool = False) -> None:
    """Print a value as JSON for scripts; one of many on a line by itself."""
    import orjson

    text = orjson.dumps(value, option=0 if one_line else orjson.OPT_INDENT_2).decode()
    typer.echo(_NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def say_document(content: bytes) -> None:
    """Write a document of the server's: into a pipe or file as it is, on a terminal line by line like all else."""
    if not sys.stdout.isatty():
        return typer.echo(content, nl=False)
    return say(*content.decode(errors="backslashreplace").rstrip("\n").split("\n"))


def accept_every_character() -> None:
    """Have characters that the terminal's encoding lacks printed as escapes, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
