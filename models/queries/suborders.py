"""Queries of a sub-order in the making; every write names the attempt it is allowed to."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from models.suborder import FileState, SubOrderState, states_before
from models.tables import OrderFile, SubOrder


def _words(states: frozenset[SubOrderState]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


CLAIM = sa.text(
    f"""
    UPDATE suborders SET attempt = attempt + 1, state = '{SubOrderState.STAGING}',
        state_at = CASE WHEN state = '{SubOrderState.STAGING}' THEN state_at ELSE now() END
    WHERE order_id = :order_id AND number = :number
      AND state IN ({_words(states_before(SubOrderState.STAGING) | {SubOrderState.STAGING})})
    RETURNING attempt, location
    """  # noqa: S608 - the words are our own enum
)
"""Take a sub-order into staging under a new attempt number."""

COUNT_SETTLED = sa.text(
    f"""
    UPDATE suborders SET files_available = files_available + :available, files_failed = files_failed + :failed,
        bytes_settled = bytes_settled + :bytes
    WHERE order_id = :order_id AND number = :number AND attempt = :attempt
      AND state = '{SubOrderState.STAGING}'
    RETURNING attempt
    """  # noqa: S608 - the words are our own enum
)
"""Count files that have settled; no row where the attempt is not the newest."""

COUNT_SETTLED_OF_ORDER = sa.text(
    """
    UPDATE orders SET files_available = files_available + :available, files_failed = files_failed + :failed,
        bytes_settled = bytes_settled + :bytes
    WHERE id = :order_id
    """
)
"""The same for the order."""

SETTLE_FILES = sa.text(
    """
    UPDATE order_files f SET
        state = CASE WHEN s.code IS NULL THEN 'available' ELSE 'failed' END,
        modified_ns = coalesce(s.modified, f.modified_ns), sha256 = coalesce(s.sha256, f.sha256),
        crc32 = coalesce(s.crc, f.crc32), failure_code = s.code, failure_text = s.text
    FROM unnest(CAST(:seqs AS bigint[]), CAST(:modified AS bigint[]), CAST(:sha256s AS bytea[]),
                CAST(:crcs AS bigint[]), CAST(:codes AS text[]), CAST(:texts AS text[]))
         AS s(seq, modified, sha256, crc, code, text)
    WHERE f.order_id = :order_id AND f.seq = s.seq AND f.state = 'pending'
    RETURNING f.seq
    """
)
"""Write what became of pending files."""


def pending_files(order_id: UUID, number: int) -> sa.Select[int, str, str, int, bytes | None]:
    """Sequence, name, href, size and expected SHA-256 of the files of a sub-order that have yet to be read."""
    return (
        sa.select(
            col(OrderFile.seq),
            col(OrderFile.object_name) + "/" + col(OrderFile.name),
            col(OrderFile.href),
            col(OrderFile.size_bytes),
            col(OrderFile.sha256),
        )
        .where(
            col(OrderFile.order_id) == order_id,
            col(OrderFile.suborder) == number,
            col(OrderFile.state) == FileState.PENDING,
        )
        .order_by(col(OrderFile.seq))
    )


def settled_counts(order_id: UUID, number: int) -> sa.Select[int, int, int]:
    """Available files, failed files and settled bytes of a sub-order."""
    return sa.select(col(SubOrder.files_available), col(SubOrder.files_failed), col(SubOrder.bytes_settled)).where(
        col(SubOrder.order_id) == order_id, col(SubOrder.number) == number
    )


def publish(
    order_id: UUID, number: int, attempt: int, *, state: SubOrderState, archive_bytes: int | None, etag: str | None
) -> ReturningUpdate[int]:
    """Make an attempt visible: compare-and-set on its number, so that a late one changes nothing."""
    return (
        sa.update(SubOrder)
        .where(
            col(SubOrder.order_id) == order_id,
            col(SubOrder.number) == number,
            col(SubOrder.attempt) == attempt,
            col(SubOrder.state).in_([SubOrderState.STAGING, state]),
        )
        .values(state=state, state_at=sa.func.now(), archive_bytes=archive_bytes, archive_etag=etag)
        .returning(col(SubOrder.number))
    )
