"""What the project promises of itself: imports point down only, and the README shows the lifecycle that is."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest
from hypothesis import HealthCheck, settings

from docs.__main__ import derived
from models.order import OrderStatus, lifecycle_diagram
from workflows.worker import LOWER_FLOORS

ROOT = Path(__file__).parent.parent
MARKED = "# A title\n<!-- lifecycle -->\n{}<!-- /lifecycle -->\nThe rest.\n"
BLOCK = f"```mermaid\n{lifecycle_diagram()}\n```\n"


def test_imports_point_down_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = re.search(r"Contracts: (\d+) kept, 0 broken", done.stdout)
    assert kept is not None
    assert int(kept[1]) >= 8


def test_every_floor_below_the_workflows_passes_through_their_sandbox() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = (contract["layers"] for contract in settings["contracts"] if contract["name"].startswith("Floors"))
    below = layers[layers.index("workflows") + 1 :]
    packages = {package.strip() for layer in below for package in layer.split("|")}
    assert set(LOWER_FLOORS) == packages - {"migrations"}


def test_every_package_of_ours_is_on_a_floor() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(settings["root_packages"]) == packages - {"tests"}
    (layers,) = (contract["layers"] for contract in settings["contracts"] if contract["name"].startswith("Floors"))
    assert sorted(package.strip() for layer in layers for package in layer.split("|")) == sorted(packages - {"tests"})


def test_the_rules_of_models_know_no_tables_no_queries_and_no_drivers() -> None:
    graph = grimp.build_graph("models", include_external_packages=True, cache_dir=None)
    above = ("models.tables", "models.queries")
    rules = [name for name in graph.modules if name.startswith("models.") and not name.startswith(above)]
    assert "models.order" in rules
    drivers = ("sqlalchemy", "sqlmodel", "psycopg", *above)
    found = {(rule, other) for rule in rules for other in graph.find_modules_directly_imported_by(rule)}
    assert {pair for pair in found if pair[1].startswith(drivers)} == set()


COMPUTING = {
    "activities/publishing.py": "lays archives out",
    "api/downloads/download_content.py": "lays archives out, and waits for no long list",
    "services/exporting.py": "writes and reads a file of this machine",
    "services/cart_adding.py": "compares outlines",
    "services/catalogue_search.py": "compares outlines",
    "services/catalogue/checksums.py": "has a process of its own, that of the command",
    "services/catalogue/imports.py": "has a process of its own, that of the command",
    "services/catalogue/api_pages.py": "has a process of its own, that of the command",
    "services/catalogue/stac_api.py": "has a process of its own, that of the command",
    "storage/targets/s3.py": "sends parts within a place of a pool, and every request of it ends",
}
"""What is given to threads that all share, and why no storage can hold them."""


def test_what_may_wait_for_a_storage_is_given_to_a_pool_of_its_own() -> None:
    shared = re.compile(r"to_thread|run_in_executor|ThreadPoolExecutor")
    floors = ("api", "workflows", "activities", "services", "temporal", "storage", "database")
    files = [path for floor in floors for path in (ROOT / floor).rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in files if shared.search(path.read_text(encoding="utf-8"))}
    assert found == COMPUTING.keys(), "threads that wait for a storage come from `storage/pool.py`"


def test_the_readme_shows_the_lifecycle_that_is_in_the_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"<!-- lifecycle -->\n```mermaid\n(.*?)\n```\n<!-- /lifecycle -->", readme, re.DOTALL)
    assert shown == [lifecycle_diagram()], "run `make docs`"


@pytest.mark.parametrize("before", ["", "something old\n", BLOCK])
def test_the_docs_are_written_between_their_markers_and_twice_is_once(before: str) -> None:
    written = derived(MARKED.format(before))
    assert written == MARKED.format(BLOCK)
    assert derived(written) == written


@pytest.mark.parametrize("text", ["", "<!-- lifecycle -->\n", MARKED.format("") * 2])
def test_a_readme_without_one_place_for_the_lifecycle_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="there must be one"):
        derived(text)


def test_the_diagram_is_one_that_mermaid_draws() -> None:
    head, *lines = lifecycle_diagram().splitlines()
    word = "|".join(OrderStatus)
    assert head == "stateDiagram-v2"
    assert all(
        re.fullmatch(rf"    (\[\*\]|{word}) --> (\[\*\]|{word})(: [a-z_]+(, [a-z_]+)*)?", line) for line in lines
    )


def test_no_property_is_held_to_the_speed_of_the_machine() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check
