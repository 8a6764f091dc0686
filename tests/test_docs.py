"""What the documentation promises of itself: every link inside the repository leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def _links(page: Path) -> Iterator[str]:
    """The targets of a page's links, those in code and to other sites left aside."""
    text = re.sub(r"```.*?```|`[^`\n]*`(?!\])", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            yield target


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve()
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_pages_and_their_links_are_found() -> None:
    assert ROOT / "README.md" in PAGES
    assert "models/order.py" in list(_links(ROOT / "README.md"))


def test_every_threat_names_tests_that_there_are() -> None:
    stops = (ROOT / "docs/security.md").read_text(encoding="utf-8").partition("## What stops them")[2]
    threats = re.findall(r"^\| (?!threat).+$", stops, re.MULTILINE)
    named = {row: re.findall(r"`(tests/[^`:]+)", row) for row in threats}
    assert threats
    assert [
        row for row, tests in named.items() if not tests or not all((ROOT / test).is_file() for test in tests)
    ] == []
