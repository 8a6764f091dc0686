"""Text that people write is judged, tidied and compared by one rule."""

import re
from pathlib import Path
from unicodedata import category, is_normalized, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import (
    checked,
    fits_header,
    folded,
    is_accepted,
    is_blank,
    one_line,
    refused_character,
    shown,
    tidied,
)

ROOT = Path(__file__).parents[2]
EVERY_CHARACTER = [chr(code) for code in range(0x110000)]


@pytest.mark.parametrize(
    "text",
    [
        "Hiver à Genève ❄",
        "l\u2019été\u00a0: 12\u202f000 scènes",
        "冬\u3000景",
        "می\u200cخواهم",
        "👩\u200d👩\u200d👧",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\U0001fae9 \U0001f8ff",
        "שלום\u200e!\u200f\u061c",
        "soft\u00adhyphen",
        "\ue000",
    ],
)
def test_what_people_write_is_accepted_as_it_is(text: str) -> None:
    assert is_accepted(text)
    assert checked(text, 50) == normalize("NFC", text)


def test_exactly_controls_separators_reordering_and_what_is_no_character_is_refused() -> None:
    refused = {char for char in EVERY_CHARACTER if not is_accepted(char)}
    noncharacters = {char for char in EVERY_CHARACTER if ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF}
    by_category = {char for char in EVERY_CHARACTER if category(char) in {"Cc", "Cs", "Zl", "Zp"}}
    assert refused == by_category | noncharacters | set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_a_text_of_lines_may_have_line_feeds_and_tabs_besides() -> None:
    lines = {char for char in EVERY_CHARACTER if refused_character(char, lines=True) is None}
    assert lines - {char for char in EVERY_CHARACTER if is_accepted(char)} == {"\n", "\t"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a\u202eb",
            "its character 2 is U+202E (RIGHT-TO-LEFT OVERRIDE), which changes the order in which text is read",
        ),
        ("\u0065\u0301\x1b[0m", "its character 2 is U+001B (ESCAPE), which is a control character"),
        ("ab\nc", "its character 3 is U+000A (LINE FEED), which begins another line"),
        ("ab\u2028c", "its character 3 is U+2028 (LINE SEPARATOR), which begins another line"),
        ("\x9d", "its character 1 is U+009D (CONTROL CHARACTER), which is a control character"),
        ("\udc80", "its character 1 is U+DC80 (SURROGATE), which is no character at all"),
        ("\U0010ffff", "its character 1 is U+10FFFF (NONCHARACTER), which is no character at all"),
    ],
)
def test_a_refusal_names_the_character_its_place_and_the_reason(text: str, said: str) -> None:
    assert refused_character(tidied(text)) == f"{said}: remove it"


@pytest.mark.parametrize(
    "text", ["Winter", "Winter ", "\u3000Winter\u00a0", "\ufeffWinter\u200b\n", "\x85Winter\u2029"]
)
def test_blanks_at_the_ends_are_no_part_of_a_text(text: str) -> None:
    assert tidied(text) == "Winter"


def test_one_letter_has_one_form_and_one_line_one_end() -> None:
    assert tidied("Gene\u0300ve") == "Gen\u00e8ve"
    assert tidied("a\r\nb\rc\n", lines=True) == "a\nb\nc"


@given(st.text())
def test_tidying_is_done_once(text: str) -> None:
    assert tidied(tidied(text)) == tidied(text)
    assert is_normalized("NFC", tidied(text))
    assert folded(folded(text)) == folded(text) == folded(tidied(text) if text.strip() == text else text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("WINTER", "winter"),
        ("ΟΔΥΣΣΕΎΣ", "Οδυσσεύς"),
        ("STRASSE", "Straße"),
        ("GROẞ", "groß"),
        ("Gene\u0300ve", "GEN\u00c8VE"),
        ("\u1fb3", "\u0391\u0345"),
        ("\u0345\u0301", "\u0301\u0345"),
    ],
)
def test_what_reads_the_same_compares_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    "text", ["", " ", "\u00a0\u3000", "\u200b\u200d\ufeff", "\u2800", "\u3164", "\ufe0f", "\u200e\u200f"]
)
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)
    with pytest.raises(ValueError, match="no visible character"):
        checked(text, 50)


@pytest.mark.parametrize("text", ["a", "\u0301", "\ue000", "\U0001fae9", "-"])
def test_what_shows_anything_is_not(text: str) -> None:
    assert not is_blank(text)


def test_a_limit_counts_characters_without_the_blanks_at_the_ends() -> None:
    assert checked(f"  {'é' * 50}\u3000", 50) == "é" * 50
    assert checked("e\u0301" * 50, 50) == "é" * 50
    with pytest.raises(ValueError, match="it has 51 characters, and may have 50 at most"):
        checked("x" * 51, 50)


@given(st.text(), st.integers(0, 30))
def test_whatever_somebody_writes_becomes_one_tidy_line_within_the_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert is_accepted(line)
    assert len(line) <= limit
    assert line == tidied(line)


def test_one_line_keeps_what_can_be_read() -> None:
    assert one_line("a\x00b\nc ü\u00a0…\n", 100) == "a b c ü\u00a0…"


def test_what_a_terminal_obeys_or_nobody_sees_is_shown_escaped() -> None:
    assert shown("a\x1b[31m\x9b0m\x1b]0;x\x07\r\n\u202eb\u2066\u200f\ufeff\udc80") == (
        "a\\x1b[31m\\x9b0m\\x1b]0;x\\x07\\r\\n\\u202eb\\u2066\\u200f\\ufeff\\udc80"
    )
    assert shown("冬\u3000景 می\u200cخواهم 👩\u200d👧 C:\\x") == "冬\u3000景 می\u200cخواهم 👩\u200d👧 C:\\x"


def test_nothing_that_is_refused_is_ever_shown_raw() -> None:
    raw = {char for char in EVERY_CHARACTER if shown(char) == char}
    assert all(is_accepted(char) for char in raw)
    assert raw.isdisjoint("\u061c\u200e\u200f\u200b\ufeff")


def test_a_header_takes_visible_ascii() -> None:
    assert fits_header("Bearer a.b-c")
    assert not any(map(fits_header, ["a\nb", "a\r", " a", "é", "a\x00", "a\t"]))


def test_no_other_module_judges_characters_by_itself() -> None:
    """But for the letter in an archive, whose bytes must stay as they were when it was sealed."""
    floors = ("api", "services", "activities", "workflows", "temporal", "storage", "models", "cli")
    sources = [path for floor in floors for path in (ROOT / floor).rglob("*.py")]
    asking = {str(path.relative_to(ROOT)) for path in sources if re.search(r"\.isprintable\(", path.read_text("utf-8"))}
    assert asking == {"models/manifest.py", "models/text.py"}
