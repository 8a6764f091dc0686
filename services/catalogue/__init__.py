"""The import of a source into the catalogue: a static STAC catalogue or a plain folder becomes products.

A source is read in a worker thread (`directory`, `stac`) into what was found (`found`), and that is merged into the
tables in one transaction (`merge`). Importing again says what is unchanged. The files themselves are read ahead of
their orders only when that is wanted (`checksums`).
"""

from services.catalogue.checksums import precompute_checksums, unknown_of
from services.catalogue.imports import import_source
from services.catalogue.messages import ChecksumReport, ImportOptions, ImportReport, SkippedEntry

__all__ = [
    "ChecksumReport",
    "ImportOptions",
    "ImportReport",
    "SkippedEntry",
    "import_source",
    "precompute_checksums",
    "unknown_of",
]
