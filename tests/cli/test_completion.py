"""What the shell offers when a word is completed, and that no test sees the logins of whoever runs it."""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.commands import completion
from cli.logins import Logins
from cli.main import app

PRODUCTS = [{"sku": "S2-L2A", "name": "Sentinel-2"}, {"sku": "DEM-30", "name": "Elevation"}]
NAMES_A_PRODUCT = (
    *(f"order {verb} --product" for verb in ("place", "estimate", "list", "export")),
    "order bulk cancel --product",
    *("catalog objects", "catalog remove"),
)


@pytest.mark.parametrize("line", NAMES_A_PRODUCT)
def test_a_product_is_completed_by_the_skus_of_the_catalogue(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(completion, "_items", lambda path: PRODUCTS if path == "/products" else [])
    words = f"consignor {line} S2"
    asked = {
        "_CONSIGNOR_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    offered = CliRunner().invoke(app, prog_name="consignor", env=asked)
    assert offered.stdout.split() == ["S2-L2A"]


def test_no_test_sees_the_logins_of_whoever_runs_it() -> None:
    assert Path(typer.get_app_dir("consignor")).is_relative_to(os.environ["XDG_CONFIG_HOME"])
    assert Logins().latest is None
