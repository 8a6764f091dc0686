"""Clients that other people's tools generate from the contract are whole; `make conformance` proves more of them."""

import json
from pathlib import Path

import pytest

from docs.contract import DOCUMENT
from tests.clients.generating import NotToBeHad, python, typescript
from tests.tools import unavailable


@pytest.mark.timeout(480)
def test_a_client_in_typescript_compiles(tmp_path: Path) -> None:
    try:
        typescript(tmp_path)
    except NotToBeHad as missing:
        unavailable(str(missing))


@pytest.mark.timeout(480)
def test_a_client_in_python_has_every_operation(tmp_path: Path) -> None:
    try:
        said = python(tmp_path)
    except NotToBeHad as missing:
        unavailable(str(missing))
    assert "WARNING" not in said, said
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    operations = {found["operationId"].replace("-", "_") for methods in paths.values() for found in methods.values()}
    assert operations == {path.stem for path in (tmp_path / "consignor_client" / "api").glob("*/[!_]*.py")}
