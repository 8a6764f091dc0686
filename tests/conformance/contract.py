"""Judges of the contract: Spectral, Redocly, and clients generated in TypeScript and Python."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from docs.contract import DOCUMENT
from tests.clients import generating
from tests.conformance.findings import Finding

SPECTRAL, REDOCLY = "@stoplight/spectral-cli@6.16.3", "@redocly/cli@2.77.0"


def contract(folder: Path) -> Iterator[Finding]:
    """All that they find. Raises NotToBeHad."""
    yield from spectral(folder / "spectral")
    yield from redocly(folder / "redocly")
    yield from clients(folder / "clients")


def spectral(folder: Path) -> Iterator[Finding]:
    """Spectral with its recommended rules for OpenAPI, warnings included."""
    run = generating.installed(folder, SPECTRAL)
    (folder / "rules.yaml").write_text("extends: [spectral:oas]\n", encoding="utf-8")
    words = ("spectral", "lint", "-q", "-f", "json", "-r", "rules.yaml", str(DOCUMENT))
    for one in json.loads(generating.printed([*run, *words], folder) or "[]"):
        yield Finding("spectral", one["code"], "/".join(map(str, one["path"])), one["message"])


def redocly(folder: Path) -> Iterator[Finding]:
    """Redocly with what it recommends."""
    run = generating.installed(folder, REDOCLY)
    words = ("redocly", "lint", "--extends=recommended", "--format=json", str(DOCUMENT))
    for one in json.loads(generating.printed([*run, *words], folder))["problems"]:
        pointer = one["location"][0].get("pointer", "").replace("~1", "/")
        yield Finding("redocly", one["ruleId"], pointer, one["message"])


def clients(folder: Path) -> Iterator[Finding]:
    """openapi-typescript with tsc, and openapi-python-client with mypy: they compile, and leave nothing out."""
    for name, generate in (("typescript", generating.typescript), ("python", generating.typed_python)):
        try:
            warned = generate(folder / name)
        except generating.DoesNotCompile as error:
            yield Finding(name, "compiles", name, str(error))
        else:
            for place in re.findall(r"WARNING parsing (.*)", warned):
                yield Finding(name, "left-out", place, "the generator leaves something out")
