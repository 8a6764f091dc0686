"""`python -m tests.conformance [contract|running …]`, or `make conformance`: all judges, clean or explained.

They are fetched when they are asked for: from npm by Node (the machine's, or PyPI's), and from PyPI by uv.
"""

import sys
import tempfile
from pathlib import Path

from tests.conformance.contract import contract
from tests.conformance.findings import exceptions, judged
from tests.conformance.running import running

JUDGES = {
    "contract": (contract, ("spectral", "redocly", "typescript", "python")),
    "running": (running, ("redbot", "stac-api-validator")),
}


def main(*chosen: str) -> int:
    """Ask them all, or those named; tells what is wrong."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="consignor-conformance-") as folder:
        for name in chosen or JUDGES:
            judge, tools = JUDGES[name]
            found = list(judge(Path(folder)))
            wrong += (judgement := judged(found, tools, exceptions()))
            said = f"{len(found)} findings, {len(judgement)} not explained" if found else "clean"
            sys.stdout.write(f"{', '.join(tools)}: {said}\n")
            sys.stdout.flush()
    sys.stdout.write("".join(f"{text}\n" for text in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
