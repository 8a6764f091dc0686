"""Text of others inside Markdown: the Temporal UI draws summaries and details as Markdown, whoever made a name."""

import re
from typing import Final

from models.text import shown

# What CommonMark and GitHub's extensions take for markup within a line: emphasis, code, links, images, tags, entities,
# struck text and table cells; an underscore only at the end of a word, as in `_a_`, never in `a_b`; and addresses,
# which become links by themselves.
_MARKUP: Final = re.compile(r"[\\`*\[\]<>&~|@]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=\bwww)\.", re.IGNORECASE)


def plain(text: str) -> str:
    """Write a text so that Markdown shows it as it is, on one line."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", shown(text))
