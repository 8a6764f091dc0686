"""The import of a source into the catalogue: a static STAC catalogue or a plain folder becomes products.

A source is read in a worker thread (`directory`, `stac`) into what was found (`found`), and that is merged into the
tables in one transaction (`merge`). Importing again says what is unchanged.
"""

from activities.catalogue.imports import import_source
from activities.catalogue.messages import ImportOptions, ImportReport, Refused

__all__ = ["ImportOptions", "ImportReport", "Refused", "import_source"]
