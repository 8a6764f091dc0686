"""The guarded writes of a sub-order: claimed by an attempt number, refused to every attempt but the newest."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.exceptions import ApplicationError

from activities.blockers import claimed_attempt
from models.errors import Failure
from models.pieces import Pieces
from models.queries import known_checksums
from models.queries import suborders as queries
from models.queries.blockers import clear_of_suborder


class Claim(NamedTuple):
    """The right to write a sub-order's files until somebody else claims it."""

    attempt: int
    location: str


class SettledFile(NamedTuple):
    """What became of a file: its proof, or its failure."""

    seq: int
    size_bytes: int
    modified_ns: int | None
    sha256: bytes | None
    crc32: int | None
    failure: Failure | None
    etag: str | None = None
    pieces: Pieces | None = None
    was_read: bool = False
    """Whether its bytes were read for this, so that it can be remembered."""

    @classmethod
    def failed(cls, seq: int, size_bytes: int, failure: Failure) -> Self:
        """A file that cannot be delivered; its catalogue row is left as it is."""
        return cls(seq, size_bytes, None, None, None, failure)


class Superseded(ApplicationError):
    """Another attempt has taken over; this one must write nothing.

    It may try again under a new number: the other may be a zombie, and of two that live one gives way in the end.
    """

    code = "superseded"

    def __init__(self) -> None:
        super().__init__("another attempt has taken over", type=self.code)


class AlreadySettled(ApplicationError):
    """The sub-order has settled or its order has ended: nothing of it may be made or shown any more."""

    code = "nothing_to_make"

    def __init__(self) -> None:
        super().__init__("nothing of this sub-order may be made any more", type=self.code, non_retryable=True)


async def claim(session: AsyncSession, order_id: UUID, number: int) -> Claim:
    """Take a sub-order into staging under a new attempt number."""
    row = (await session.execute(queries.CLAIM, {"order_id": order_id, "number": number})).one_or_none()
    if row is None:
        raise AlreadySettled
    claimed_attempt.set(row.attempt)
    return Claim(row.attempt, row.location)


async def settle_files(
    session: AsyncSession, order_id: UUID, number: int, attempt: int, files: Sequence[SettledFile]
) -> None:
    """Write what became of pending files and count it, once, and only for the newest attempt."""
    if not files:
        return
    failed = sum(file.failure is not None for file in files)
    counts = {
        "order_id": order_id,
        "number": number,
        "attempt": attempt,
        "available": len(files) - failed,
        "failed": failed,
        "bytes": sum(file.size_bytes for file in files),
    }
    # The row lock this takes orders the attempts: the second sees the number of the first.
    if (await session.execute(queries.COUNT_SETTLED, counts)).one_or_none() is None:
        raise Superseded
    await session.execute(queries.COUNT_SETTLED_OF_ORDER, counts)
    await session.execute(clear_of_suborder(order_id, number))
    written = await session.execute(queries.SETTLE_FILES, {"order_id": order_id, **_columns(files)})
    if len(written.all()) != len(files):
        raise RuntimeError("a file settled twice")
    if read := [file for file in files if file.was_read]:
        etags = [file.etag for file in read]
        learnt = {"seqs": _array(file.seq for file in read), "etags": etags if any(etags) else []}
        await session.execute(known_checksums.UPSERT_STAGED, {"order_id": order_id, "number": number, **learnt})


def _columns(files: Sequence[SettledFile]) -> dict[str, object]:
    """The columns of the files; one that is None throughout, as is usual, is left empty for `unnest` to fill."""
    failures, etags = [file.failure for file in files], [file.etag for file in files]
    pieces = [file.pieces for file in files]
    failed, cut = any(failures), any(pieces)
    return {
        "seqs": _array(file.seq for file in files),
        "modified": _array(file.modified_ns for file in files),
        "etags": etags if any(etags) else [],
        "sha256s": _array(f'"\\\\x{file.sha256.hex()}"' if file.sha256 else None for file in files),
        "crcs": _array(file.crc32 for file in files),
        "piece_bytes": [each and each.length for each in pieces] if cut else [],
        "pieces": [each and each.hashes for each in pieces] if cut else [],
        "codes": [failure and failure.code.value for failure in failures] if failed else [],
        "texts": [failure and failure.text for failure in failures] if failed else [],
    }


def _array(values: Iterable[object]) -> str:
    """An array as PostgreSQL reads it; the driver's way, value by value, costs as much as the file's digest."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"
