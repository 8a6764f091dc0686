"""A user of stock EODAG: searches, orders, waits and downloads; prints what came of it as JSON.

A program of its own: EODAG calls functions that it has deprecated itself, which our tests would take for errors.
"""

import json
import sys
from pathlib import Path
from typing import Any

from eodag import EODataAccessGateway

PROVIDER = "consignor"


def main(target: Path) -> dict[str, Any]:
    """What `docs/clients/eodag.md` describes, once through."""
    dag = EODataAccessGateway()
    there = [found.id for found in dag.list_collections(provider=PROVIDER)]
    first = dag.search(provider=PROVIDER, collection="scenes", limit=5, raise_errors=True)
    pages = [len(first), *(len(page) for page in _following(first))]
    where: dict[str, Any] = {"start": "2013-06-01", "end": "2013-06-05", "geom": [-50, 0, -30, 5]}
    found = dag.search(provider=PROVIDER, collection="scenes", raise_errors=True, **where)
    scene = found[0]
    before = scene.properties["order:status"]
    folder = Path(scene.download(output_dir=str(target / "ordered"), wait=0.01, timeout=1))
    again = dag.search(provider=PROVIDER, collection="scenes", id=scene.properties["id"], raise_errors=True)[0]
    files = Path(again.download(output_dir=str(target / "assets"), wait=0.01, timeout=1))
    return {
        "collections": there,
        "pages": pages,
        "found": [each.properties["id"] for each in found],
        "statuses": [before, scene.properties["order:status"], again.properties["order:status"]],
        "ordered": str(folder),
        "assets": str(files),
    }


def _following(page: Any) -> Any:
    while (page := next(page.next_page(), None)) is not None and len(page):
        yield page


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))  # noqa: T201 - the answer of this program
