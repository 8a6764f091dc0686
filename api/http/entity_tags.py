"""Entity tags in conditions (RFC 9110, section 8.8.3).

A proxy that compresses answers changes their tags: nginx and most content delivery networks make `W/"a"` of `"a"`,
Apache and others `"a-gzip"`. Both still name the version that was compressed, though not its bytes.
"""

import re
from typing import Final

_TAG: Final = re.compile(r'[ \t]*(?P<weak>W/)?"(?P<opaque>[^"]*)"[ \t]*(?:,|$)|(?P<other>[^,]+)(?:,|$)|,')
_CODING: Final = re.compile(r"(?:--?|;|:)(?:gzip|br|zstd|deflate)$")


class EntityTags:
    """The tags that a condition names; `*` names whatever is there."""

    def __init__(self, field: str) -> None:
        self._any = field.strip() == "*"
        found = list(_TAG.finditer(field))
        self._strong = {tag["opaque"] for tag in found if tag["opaque"] is not None and not tag["weak"]}
        # What is no tag names nothing but a tag that somebody has taken out of its quotes.
        self.opaque = {tag["opaque"] if tag["other"] is None else tag["other"].strip() for tag in found} - {None}
        """What stands in the quotes of each."""

    def match_bytes(self, etag: str) -> bool:
        """Whether one of them is this strong tag, by strong comparison: what was got is the same, byte by byte."""
        return self._any or etag.strip('"') in self._strong

    def match_version(self, etag: str) -> bool:
        """Whether one of them is this tag, by weak comparison, or what a compressing proxy has made of it."""
        own = etag.strip('"')
        return self._any or any(_CODING.sub("", opaque) == own for opaque in self.opaque)
