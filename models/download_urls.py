"""URLs of downloads end in the name of the file: what saves a file under the last part of its URL then saves it right.

Only the part before the name tells what it is, and is signed: a name may change with the label of an order, and URLs
without one keep opening.
"""

import re
from typing import Final
from urllib.parse import quote

from models.links import API

_NAMED: Final = re.compile(
    re.escape(API)
    + r"(?P<resource>/(?:links/[^/]+/)?orders/[^/]+/(?:suborders/[^/]+/archive|files/[^/]+/content|\.?metalink))"
    r"(?:(?<=metalink)/(?P<part>[0-9]{1,9}))?/[^/]+"
)


def named(path: str, filename: str, part: int | None = None) -> str:
    """The path of a download with the name of its file behind it; `part` of a Metalink in several."""
    return f"{path}/{quote(filename, safe='')}" if part is None else f"{path}/{part}/{quote(filename, safe='')}"


def unnamed(path: str) -> tuple[str, int | None] | None:
    """The path of a download without the name, and the part of a Metalink; None where there is no name behind one."""
    if (found := _NAMED.fullmatch(path)) is None:
        return None
    return API + found["resource"], int(found["part"]) if found["part"] else None
