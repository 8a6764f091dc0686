"""`python -m docs`, or `make docs`: writes the parts of the README anew that are derived from the code."""

import re
import sys
from pathlib import Path

from models.order import lifecycle_diagram

README = Path(__file__).parent.parent / "README.md"

_LIFECYCLE = re.compile(r"(?<=<!-- lifecycle -->\n).*?(?=<!-- /lifecycle -->)", re.DOTALL)


def lifecycle_block() -> str:
    """What stands between the markers of the README: the diagram in a fence that GitHub draws."""
    return f"```mermaid\n{lifecycle_diagram()}\n```\n"


def derived(text: str) -> str:
    """The text with its derived parts as the code has them; the same again where nothing is out of date.

    Raises ValueError where the markers are not there exactly once.
    """
    block = lifecycle_block()
    result, count = _LIFECYCLE.subn(lambda _: block, text)
    if count != 1:
        raise ValueError(f"{count} blocks between <!-- lifecycle --> and <!-- /lifecycle -->; there must be one")
    return result


def main() -> int:
    """Bring the README up to date and tell whether it was."""
    before = README.read_text(encoding="utf-8")
    try:
        after = derived(before)
    except ValueError as error:
        sys.stderr.write(f"{README.name}: {error}\n")
        return 1
    if after != before:
        README.write_text(after, encoding="utf-8")
    sys.stdout.write(f"{README.name} {'written anew' if after != before else 'is up to date'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
