"""The one rule of text that people write: what is refused of it, how it is tidied, and how it is compared.

**Refused** is what no line of text needs and what deceives or breaks whoever shows it: control characters (Cc), line
separators, the embeddings, overrides and isolates of text direction (they reorder what stands around them, so that a
label can be read as another one), lone surrogates and noncharacters (no encoding can carry them). **Accepted** is all
else: every kind of space, the joiners of Persian and of emoji, the marks U+200E, U+200F and U+061C (which turn nothing
but their neighbours), private use, and code points that Unicode has yet to assign, such as next year's emoji.

**Tidied** is text without blanks at its ends, in Normalization Form C. Limits count the code points of tidied text.
**Compared** is text by its case-folded form, `folded`; PostgreSQL's function of that name does the same.

Names that come from archives, of objects and files, are no people's text: they are kept as their source writes them,
without trimming or normalization, for a file is only found by its very name; of the rule above they only share what
is refused in identifiers, and that they are shown by `shown`.
"""

import re
from typing import Final
from unicodedata import name as name_of
from unicodedata import normalize

_BLANKS: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_ZERO_WIDTH_SPACES: Final = "\u200b\ufeff"
_ENDS: Final = re.compile(rf"\A[{_BLANKS}{_ZERO_WIDTH_SPACES}]+|[{_BLANKS}{_ZERO_WIDTH_SPACES}]+\Z")

_LINE_SEPARATORS: Final = "\u2028\u2029"
_BIDI_CONTROLS: Final = "\u202a-\u202e\u2066-\u2069"
_NONCHARACTERS: Final = "\ufdd0-\ufdef" + "".join(f"{chr(p - 2)}{chr(p - 1)}" for p in range(0x10000, 0x110001, 2**16))
_SURROGATES: Final = "\ud800-\udfff"
_REFUSED: Final = re.compile(f"[\x00-\x1f\x7f-\x9f{_LINE_SEPARATORS}{_BIDI_CONTROLS}{_SURROGATES}{_NONCHARACTERS}]")
_REFUSED_IN_LINES: Final = re.compile(_REFUSED.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))

# Unicode's default ignorable code points (DerivedCoreProperties.txt) and what else draws nothing.
_INVISIBLE: Final = re.compile(
    f"[{_BLANKS}\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)

# What a terminal obeys, what reorders its line, and what would be there unseen; joiners and flags' tags are drawn.
_ESCAPED: Final = re.compile(
    f"[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f{_LINE_SEPARATORS}{_BIDI_CONTROLS}\u2060-\u2065\u206a-\u206f\ufeff"
    f"\ufff0-\ufffb{_SURROGATES}{_NONCHARACTERS}]"
)

_CONTROL_NAMES: Final = {
    "\x00": "NULL",
    "\t": "TAB",
    "\n": "LINE FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
    "\x9b": "CONTROL SEQUENCE INTRODUCER",
}


def tidied(text: str, *, lines: bool = False) -> str:
    """Tidy a text: no blanks at its ends, Normalization Form C; with `lines`, every line ends in one line feed."""
    if lines:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() and text == text.strip() else normalize("NFC", _ENDS.sub("", text))


def folded(text: str) -> str:
    """Fold a text so that what reads the same compares the same (Unicode, D145, in Normalization Form C)."""
    return text.lower() if text.isascii() else normalize("NFC", normalize("NFD", text).casefold())


def is_blank(text: str) -> bool:
    """Tell whether a text shows nothing: it is empty, or all of it is blanks and invisible characters."""
    return _INVISIBLE.fullmatch(text) is not None


def refused_character(text: str, *, lines: bool = False) -> str | None:
    """Say which character of a text is refused, where and why; None where all are accepted.

    With `lines` the text may have several lines and tabs.
    """
    found = (_REFUSED_IN_LINES if lines else _REFUSED).search(text)
    if found is None:
        return None
    char = found[0]
    return f"its character {found.start() + 1} is U+{ord(char):04X} ({_name(char)}), which {_why(char)}: remove it"


def is_accepted(text: str) -> bool:
    """Tell whether a text has no character that is refused."""
    return _REFUSED.search(text) is None


def checked(text: str, limit: int, *, lines: bool = False) -> str:
    """Tidy a text that has to be there, within a limit. Raises ValueError with the reason and the remedy."""
    text = tidied(text, lines=lines)
    if is_blank(text):
        raise ValueError("it has no visible character: write one, at least")
    if len(text) > limit:
        raise ValueError(f"it has {len(text):,} characters, and may have {limit:,} at most: shorten it")
    if why := refused_character(text, lines=lines):
        raise ValueError(why)
    return text


def one_line(text: str, limit: int) -> str:
    """Bring a text onto one tidy line of at most `limit` characters; what is refused becomes a space."""
    return tidied(tidied(_REFUSED.sub(" ", text))[:limit])


def fits_header(text: str) -> bool:
    """Tell whether a text can be the value of an HTTP header: visible ASCII and spaces within."""
    return text.isascii() and text.isprintable() and text == text.strip()


def shown(text: str) -> str:
    """Show a text of any origin on one line: what a terminal obeys or nobody sees is escaped as Python writes it."""
    return _ESCAPED.sub(lambda found: _escape(found[0]), text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode()


def _name(char: str) -> str:
    if char in _CONTROL_NAMES:
        return _CONTROL_NAMES[char]
    if ord(char) < 0xA0:
        return "CONTROL CHARACTER"
    return name_of(char, "SURROGATE" if 0xD800 <= ord(char) < 0xE000 else "NONCHARACTER")


def _why(char: str) -> str:
    if char in "\n\r\v\f\x85\u2028\u2029":
        return "begins another line"
    if char == "\t" or ord(char) < 0xA0:
        return "is a control character"
    if 0x2000 <= ord(char) < 0x2070:
        return "changes the order in which text is read"
    return "is no character at all"
