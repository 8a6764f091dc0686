"""The import of a source into the catalogue: a static STAC catalogue or a plain folder becomes products.

A source is read in a worker thread (`directory`, `stac`) into what was found (`found`), and that is merged into the
tables in one transaction (`merge`). Importing again says what is unchanged; what could not be looked at stays
(`merge_kept`), and what is gone leaves its id behind (`withdrawals`). The files themselves are read ahead of
their orders only when that is wanted (`checksums`).
"""

from services.catalogue.checksums import precompute_checksums, unknown_of
from services.catalogue.imports import import_source
from services.catalogue.messages import ChecksumReport, ImportOptions, ImportReport, SkippedEntry
from services.catalogue.removal import ProductRemoval, preview_removal, remove_product

__all__ = [
    "ChecksumReport",
    "ImportOptions",
    "ImportReport",
    "ProductRemoval",
    "SkippedEntry",
    "import_source",
    "precompute_checksums",
    "preview_removal",
    "remove_product",
    "unknown_of",
]
