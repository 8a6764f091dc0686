"""What to do about each failure, for whoever operates Consignor; the runbook says more."""

from collections.abc import Mapping
from types import MappingProxyType

from models.errors import FailureCode

C = FailureCode
_BRING_BACK_FILE = "Restore the file, or import the catalogue again; then retry."

REMEDIES: Mapping[FailureCode, str] = MappingProxyType(
    {
        C.UNKNOWN_ID: "It is not in the catalogue any more. Import it again and retry, or order what is there.",
        C.CATALOGUE_CHANGED: "It has changed since it was ordered. Order it again.",
        C.NOTHING_TO_ORDER: "Nothing is left of what was selected. Order something else.",
        C.TOO_MANY_FAILED: "Mend what its files failed by and retry; or order again with a higher limit.",
        C.SOURCE_MISSING: _BRING_BACK_FILE,
        C.SOURCE_CHANGED: "Import the catalogue again; then order again.",
        C.SOURCE_FORBIDDEN: "Let the workers read the file, or take it out of the catalogue; then retry.",
        C.SIZE_MISMATCH: _BRING_BACK_FILE,
        C.CHECKSUM_MISMATCH: "Restore the file from a copy and retry. If it is right as it is now, touch it, import the"
        " catalogue again and order again.",
        C.DISK_FULL: "Make room; nothing has to be told.",
        C.TOO_MANY_OPEN_FILES: "Raise the limit of open files of the workers, or run fewer in parallel.",
        C.OUT_OF_MEMORY: "Give the workers more memory.",
        C.SOURCE_UNAVAILABLE: "Bring the storage back: is the product's folder mounted on the workers, and"
        " does it answer? The next try goes on by itself.",
        C.SOURCE_BUSY: "Its location has as much as it may at once, or hangs: look at what holds it up."
        " It goes on by itself.",
        C.DESTINATION_REFUSED: "Mend the destination or its keys; then retry. The archive can be downloaded meanwhile.",
        C.DESTINATION_FULL: "Make room at the destination. The archive can be downloaded meanwhile.",
        C.DESTINATION_UNAVAILABLE: "Bring the destination back. The archive can be downloaded meanwhile.",
        C.DATABASE_UNAVAILABLE: "Bring PostgreSQL back; nothing has to be told.",
        C.TIMED_OUT: "Look at the storage and at the load of the workers; then retry.",
        C.WORKER_LOST: "Look why workers stop; then retry.",
        C.WORKFLOW_ENDED: "Retry: what has been read is not read again. To stop an order, cancel or pause it.",
        C.INTERNAL: "Report the traceback in the worker's log; then retry.",
    }
)

CONFIRM_PAYMENT = (
    "Once it has come in, confirm it with `consignor order confirm-payment` and the number,"
    " or have the provider send its message again."
)
