"""The one rule of text from strangers: what of it may be kept, and how it is brought onto one line.

Printable is what Unicode calls so: no control characters, no line or paragraph separators, no other spaces than U+0020.
"""


def is_printable(text: str) -> bool:
    """Tell whether all of a text is printable; an empty one is."""
    return text.isprintable()


def is_visible(text: str) -> bool:
    """Tell whether a text is printable and has something to see."""
    return bool(text.strip()) and is_printable(text)


def is_trimmed(text: str) -> bool:
    """Tell whether a text is visible, with no blank at either end."""
    return is_visible(text) and text == text.strip()


def one_line(text: str, limit: int) -> str:
    """Bring a text onto one line of at most `limit` characters; what is not printable becomes a space."""
    return "".join(char if is_printable(char) else " " for char in text[:limit])
