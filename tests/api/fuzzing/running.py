"""Runs schemathesis as several people against a running dev stack."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.programs import asked, authorization

HERE = Path(__file__).parent
PEOPLE = ("alice", "bob", "admin")


@dataclass(frozen=True)
class Outcome:
    """How a run ended, what it printed, and how many requests it made up."""

    passed: bool
    printed: str
    cases: int


def known_ids(where: Mapping[str, str], api: str) -> dict[str, list[Any]]:
    """Things of alice's that are there, by the names of the parameters that take their ids."""
    order = asked(where, "order", "place", "--product", "sample-scenes", "--wait")
    with httpx2.Client(base_url=f"{api}/api/v1", headers=authorization(where), timeout=30) as client:

        def got(path: str) -> Any:
            return client.get(path).raise_for_status().json()

        orders = [order["id"], *(other["id"] for other in got("/orders")["items"])]
        skus = [product["sku"] for product in got("/products")["items"]]
        objects = [found["id"] for found in got(f"/products/{skus[0]}/objects")["items"]]
        links = got(f"/orders/{orders[0]}/links")
        made = client.post("/tokens", json={"name": "fuzzed", "scopes": ["read"]}).raise_for_status().json()
    path = urlsplit(links["archives"][0]["url"]).path.split("/")
    return {
        "order_id": orders[:3],
        "number": [1, 2],
        "seq": [1, 2, 3],
        "file": [1, 2, 3],
        "sku": skus,
        "object_id": objects[:3],
        "token_id": [made["id"]],
        "link": [path[path.index("links") + 1]],
        "which": ["metalink", ".metalink"],
    }


def fuzzed(where: Mapping[str, str], api: str, person: str, examples: int, *more: str) -> Outcome:
    """What schemathesis finds as somebody, with at most so many examples of each operation."""
    token = authorization(where, person)["Authorization"]
    ids = json.dumps(known_ids(where, api))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run"),
            *(f"{api}/api/v1/openapi.json", "--header", f"Authorization: {token}", "--max-examples", str(examples)),
            *("--workers", "2", "--no-shrink", "--generation-database", "none", *more),
        ],
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.fuzzing.hooks", "CONSIGNOR_FUZZ_IDS": ids},
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parents[2],
    )
    return Outcome(done.returncode == 0, done.stdout + done.stderr, _cases(done.stdout))


def _cases(printed: str) -> int:
    """The number in `  2715 generated, …`."""
    found = re.search(r"^ +(\d+) generated,", printed, re.MULTILINE)
    return int(found[1]) if found else 0
