"""Text from strangers is judged by one rule."""

import re
from pathlib import Path

import pytest

from models.text import is_printable, is_trimmed, is_visible, one_line

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "printable", "visible", "trimmed"),
    [
        ("Winter", True, True, True),
        ("", True, False, False),
        (" ", True, False, False),
        (" Winter", True, True, False),
        ("Hiver à Genève ❄", True, True, True),
        ("a\nb", False, False, False),
        ("a\u2028b", False, False, False),
        ("\x1b[31m", False, False, False),
    ],
)
def test_the_rule_is_as_written_here(text: str, printable: bool, visible: bool, trimmed: bool) -> None:
    assert (is_printable(text), is_visible(text), is_trimmed(text)) == (printable, visible, trimmed)


def test_what_is_brought_onto_one_line_is_printable_and_no_longer_than_allowed() -> None:
    assert one_line("a\nb\x1bc", 4) == "a b "


def test_no_other_module_asks_by_itself_what_is_printable() -> None:
    floors = ("api", "services", "activities", "workflows", "temporal", "storage", "models", "cli")
    sources = [path for floor in floors for path in (ROOT / floor).rglob("*.py")]
    asking = [path.relative_to(ROOT) for path in sources if re.search(r"\.isprintable\(", path.read_text("utf-8"))]
    assert asking == [Path("models/text.py")]
