"""Files for the eyes of this machine's user alone, from their first byte on."""

import os
from pathlib import Path
from typing import TextIO


def new_private_file(path: Path) -> TextIO:
    """A new file that nobody else may read, to be written. Raises FileExistsError, also for a link that leads nowhere.

    Made so that it is never anybody else's: what is made first and closed to others afterwards may be open already.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
