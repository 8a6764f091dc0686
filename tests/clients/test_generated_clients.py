"""Clients that other people's tools generate from the contract compile."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.generating import NotToBeHad, python, typescript
from tests.tools import unavailable


@pytest.mark.timeout(480)
@pytest.mark.parametrize("generate", [typescript, python], ids=["typescript", "python"])
def test_a_generated_client_compiles(generate: Callable[[Path], None], tmp_path: Path) -> None:
    try:
        generate(tmp_path)
    except NotToBeHad as missing:
        unavailable(str(missing))
    if generate is python:
        made = {path.stem for path in (tmp_path / "consignor_client" / "api").rglob("*.py")}
        assert {"list_orders", "create_order", "command_order", "list_files_for_order"} <= made
