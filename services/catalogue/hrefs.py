"""What a reference of a STAC document may mean on this disk: they are URLs, and many writers forget it."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

_FILE_URL: Final = re.compile(r"file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)
_TAIL: Final = re.compile(r"[?#].*", re.DOTALL)
_WEB: Final = ("http://", "https://")


def is_of_the_web(href: str) -> bool:
    """Tell whether a reference leads to the web."""
    return href.lower().startswith(_WEB)


def path_of(href: str) -> str:
    """The path that a `file:` URL names, still as it is written; any other reference is left alone."""
    found = _FILE_URL.match(href)
    return href[found.end() :] if found else href


def other_paths(href: str) -> Iterator[str]:
    """What a path may mean besides what is written, the likeliest first: encoded, with a tail, or of Windows."""
    seen = {href}
    for written in (href, _TAIL.sub("", href)):
        for path in (written, unquote(written)):
            for meant in (path, path.replace("\\", "/")):
                if meant and meant not in seen:
                    seen.add(meant)
                    yield meant
