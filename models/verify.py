"""When a file whose checksums are known is read again."""

from enum import StrEnum


class Verify(StrEnum):
    """How far the checksums of an earlier read are trusted when an order is staged."""

    ALWAYS = "always"
    """Not at all: every file is read for every order."""
    CHANGED = "changed"
    """As long as the storage shows the same version: size, time of modification and ETag."""
    NEVER = "never"
    """Without asking the storage; for archives whose files never change once they are there."""
