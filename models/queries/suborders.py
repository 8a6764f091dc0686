"""Queries of a sub-order in the making; every write names the attempt it is allowed to."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlmodel import col

from models.order import TERMINAL
from models.status_facts import RELEASED_SUBORDERS, sql_list
from models.suborder import FileState, SubOrderState, file_states_before, states_before
from models.tables import Download, KnownFile, Order, OrderFile, SubOrder
from models.tables.base import INSTANT

CLAIM = sa.text(
    f"""
    UPDATE suborders SET attempt = attempt + 1, state = '{SubOrderState.STAGING}',
        state_at = CASE WHEN state = '{SubOrderState.STAGING}' THEN state_at ELSE now() END
    WHERE order_id = :order_id AND number = :number
      AND state IN ({sql_list(states_before(SubOrderState.STAGING) | {SubOrderState.STAGING})})
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

_SETTLING = file_states_before(FileState.AVAILABLE) & file_states_before(FileState.FAILED)

SETTLE_FILES = sa.text(
    f"""
    UPDATE order_files f SET
        state = CASE WHEN s.code IS NULL THEN '{FileState.AVAILABLE}' ELSE '{FileState.FAILED}' END,
        modified_ns = coalesce(s.modified, f.modified_ns),
        etag = CASE WHEN s.code IS NULL THEN s.etag ELSE f.etag END, sha256 = coalesce(s.sha256, f.sha256),
        crc32 = coalesce(s.crc, f.crc32), piece_bytes = s.piece_bytes, pieces = s.pieces,
        failure_code = s.code, failure_text = s.text
    FROM unnest(CAST(:seqs AS bigint[]), CAST(:modified AS bigint[]), CAST(:etags AS text[]), CAST(:sha256s AS bytea[]),
                CAST(:crcs AS bigint[]), CAST(:piece_bytes AS bigint[]), CAST(:pieces AS bytea[]),
                CAST(:codes AS text[]), CAST(:texts AS text[]))
         AS s(seq, modified, etag, sha256, crc, piece_bytes, pieces, code, text)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM order_files
        WHERE order_id = :order_id AND seq = s.seq AND state IN ({sql_list(_SETTLING)}) OFFSET 0
    ) AS found
    WHERE f.ctid = found.place
    RETURNING f.seq
    """  # noqa: S608 - the words are our own enum
)
"""Write what became of pending files.

Each is looked up on its own, whatever the statistics say: those of a table that an order has just filled know nothing
of it, and a planner that expects one row compares every file of the order with every one that has settled.
"""


REOPEN_FILES = sa.text(
    f"""
    WITH reopened AS (
        UPDATE order_files SET state = '{FileState.PENDING}', failure_code = NULL, failure_text = NULL
        WHERE order_id = :order_id AND state IN ({sql_list(file_states_before(FileState.PENDING))})
          AND (:all OR seq = ANY(CAST(:seqs AS bigint[])))
        RETURNING suborder, size_bytes
    ), counts AS (
        SELECT suborder, count(*) AS files, sum(size_bytes) AS bytes FROM reopened GROUP BY suborder
    ), parts AS (
        UPDATE suborders s SET files_failed = files_failed - c.files, bytes_settled = bytes_settled - c.bytes,
            state = '{SubOrderState.PLANNED}', state_at = now(), attempt = attempt + 1, archive_bytes = NULL,
            archive_etag = NULL
        FROM counts c WHERE s.order_id = :order_id AND s.number = c.suborder
          AND s.state IN ({sql_list(states_before(SubOrderState.PLANNED))})
        RETURNING c.files, c.bytes
    )
    UPDATE orders SET files_failed = files_failed - (SELECT coalesce(sum(files), 0) FROM parts),
        bytes_settled = bytes_settled - (SELECT coalesce(sum(bytes), 0) FROM parts)
    WHERE id = :order_id RETURNING (SELECT CAST(coalesce(sum(files), 0) AS bigint) FROM parts)
    """  # noqa: S608 - the words are our own enum
)
"""Make failed files pending again, and plan their sub-orders again; tells how many files that are."""

RELEASE = sa.text(
    """
    UPDATE suborders SET state = :state, state_at = now(), attempt = attempt + 1
    WHERE order_id = :order_id AND state = ANY(CAST(:sources AS text[]))
    RETURNING number
    """
)
"""End the sub-orders of an order and fence off the attempts that still work on them."""


def hold_suborders(order_id: UUID) -> sa.Select[int]:
    """Let no download of an order begin before this transaction is over."""
    mine = sa.select(col(SubOrder.number)).where(col(SubOrder.order_id) == order_id)
    return mine.order_by(col(SubOrder.number)).with_for_update(key_share=True)


def begin_download(order_id: UUID, number: int, now: datetime) -> ReturningInsert[UUID]:
    """Note a download, which keeps the archive from expiring under it; nothing where that is over.

    Waits for a release that is under way: whichever is first, the other one sees it.
    """
    alive = (
        sa.select(col(SubOrder.order_id), col(SubOrder.number), sa.literal(now, INSTANT))
        .where(
            col(SubOrder.order_id) == order_id,
            col(SubOrder.number) == number,
            col(SubOrder.state).not_in(RELEASED_SUBORDERS),
        )
        .with_for_update(read=True)
    )
    return sa.insert(Download).from_select(["order_id", "suborder", "seen_at"], alive).returning(col(Download.id))


def see_download(download_id: UUID, now: datetime) -> sa.Update:
    """Note that a download is still alive."""
    return sa.update(Download).where(col(Download.id) == download_id).values(seen_at=now)


def end_download(download_id: UUID) -> sa.Delete:
    """Note that a download has ended, however it did."""
    return sa.delete(Download).where(col(Download.id) == download_id)


def open_downloads(order_id: UUID, *, seen_since: datetime) -> sa.Select[int]:
    """How many downloads of an order are under way."""
    return sa.select(sa.func.count()).where(col(Download.order_id) == order_id, col(Download.seen_at) >= seen_since)


def pending_files(order_id: UUID, number: int) -> sa.Select[*tuple[Any, ...]]:
    """The files of a sub-order that have yet to be proven.

    Sequence, name, href, size, time, expected SHA-256; then what is known of an earlier read: size, time, ETag,
    CRC-32, SHA-256, length and hashes of its pieces, and whether it is doubted, all None where there was none.
    """
    return (
        sa.select(
            col(OrderFile.seq),
            col(OrderFile.object_name) + "/" + col(OrderFile.name),
            col(OrderFile.href),
            col(OrderFile.size_bytes),
            col(OrderFile.modified_ns),
            col(OrderFile.sha256),
            col(KnownFile.size_bytes),
            col(KnownFile.modified_ns),
            col(KnownFile.etag),
            col(KnownFile.crc32),
            col(KnownFile.sha256),
            col(KnownFile.piece_bytes),
            col(KnownFile.pieces),
            col(KnownFile.doubted),
        )
        .outerjoin(KnownFile, col(KnownFile.file_id) == col(OrderFile.file_id))
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
            # Its own state: published twice is once.
            col(SubOrder.state).in_(states_before(state) & {SubOrderState.STAGING} | {state}),
            sa.exists().where(col(Order.id) == order_id, col(Order.status).not_in(TERMINAL)),
        )
        .values(
            state=state,
            state_at=sa.func.now(),
            archive_bytes=archive_bytes,
            archive_etag=etag,
            sealed_at=sa.func.now() if etag else None,
        )
        .returning(col(SubOrder.number))
    )
