"""What the documentation promises of itself: links inside the repository lead somewhere, and blocks say what they are.

That their commands run, tests/clients/test_stac_clients.py shows.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands_of_docs import KINDS, PAGES, ROOT, Block, blocks


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_what_it_is(page: Path) -> None:
    assert [block.place for block in blocks(page) if block.kind not in KINDS] == []
    assert page.read_text(encoding="utf-8").count("```") == 2 * len(list(blocks(page)))


def test_few_commands_are_not_run_for_they_belong_to_other_machines() -> None:
    everything = [block for page in PAGES for block in blocks(page)]
    elsewhere = [block.place for block in everything if block.kind == "sh elsewhere"]
    run = [block for block in everything if block.kind in {"sh", "sh refused", "console"}]
    # One more needs a reason: `sh` is run by tests/clients, `sh elsewhere` by nobody.
    assert len(elsewhere) <= 11, elsewhere
    assert len(run) >= 35


def test_a_console_gives_its_commands_without_what_they_print() -> None:
    block = Block(ROOT / "README.md", 1, "console", "$ one \\\n    more\nprinted\n$ two\nprinted\n")
    assert block.commands == "one \\\n    more\ntwo\n"
