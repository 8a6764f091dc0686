"""`python -m tests.api.fuzzing`, or `make fuzz`: several thousand requests as each of several people."""

import sys
import tempfile
from pathlib import Path

from tests.api.fuzzing.running import PEOPLE, fuzzed
from tests.programs import dev_stack


def main(examples: int = 60) -> int:
    """Fuzz a stack of its own; tells what was found, and whether that is nothing."""
    found = []
    with tempfile.TemporaryDirectory(prefix="consignor-fuzz-") as folder, dev_stack(Path(folder) / "data") as stack:
        where = {"CONSIGNOR_DATA": str(Path(folder) / "data")}
        for person in PEOPLE:
            outcome = fuzzed(where, stack["api"], person, examples)
            sys.stdout.write(f"{outcome.printed if not outcome.passed else ''}{person}: {outcome.cases} requests\n")
            sys.stdout.flush()
            found.append(outcome)
    failed = sum(not outcome.passed for outcome in found)
    total = sum(outcome.cases for outcome in found)
    sys.stdout.write(f"{total} requests, {failed} of {len(found)} runs with failures\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
