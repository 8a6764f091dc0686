"""Queries of downloads: what has arrived, what that makes of sub-orders and files, and the outbox of events."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.status_facts import AVAILABLE_FILES, UNDELIVERED_FILES, sql_list
from models.suborder import FileState, SubOrderState, file_states_before, states_before
from models.tables import OrderFile, OutboxEvent, SubOrder

_READY = sql_list(states_before(SubOrderState.DOWNLOADED))
_ARRIVING = sql_list(file_states_before(FileState.DOWNLOADED))
"""States from which a sub-order, or a file, may become downloaded."""

COVER_ARCHIVE = sa.text(
    f"""
    INSERT INTO archive_coverage AS c (order_id, suborder, etag, covered)
    SELECT order_id, number, archive_etag, CAST(:spans AS int8multirange) FROM suborders
    WHERE order_id = :order_id AND number = :number AND archive_etag = :etag AND state = '{SubOrderState.READY}'
    ON CONFLICT (order_id, suborder) DO UPDATE SET etag = excluded.etag,
        covered = CASE WHEN c.etag = excluded.etag THEN c.covered + excluded.covered ELSE excluded.covered END
    RETURNING covered @> int8range(0, CAST(:size AS bigint))
    """  # noqa: S608 - the words are our own enum
)
"""Add bytes that have arrived of an archive; tells whether it is whole now. No row if there is nothing to add to."""

COVER_FILE = sa.text(
    f"""
    INSERT INTO file_coverage AS c (order_id, seq, covered)
    SELECT order_id, seq, CAST(:spans AS int8multirange) FROM order_files
    WHERE order_id = :order_id AND seq = :seq AND state = '{FileState.AVAILABLE}'
    ON CONFLICT (order_id, seq) DO UPDATE SET covered = c.covered + excluded.covered
    RETURNING covered @> int8range(0, CAST(:size AS bigint))
    """  # noqa: S608 - the words are our own enum
)
"""The same for a single file."""

LOCK_READY = sa.text(
    f"""
    SELECT number FROM suborders
    WHERE order_id = :order_id AND number = :number AND state = '{SubOrderState.READY}'
      AND archive_etag = coalesce(CAST(:etag AS text), archive_etag)
    FOR NO KEY UPDATE
    """  # noqa: S608 - the words are our own enum
)
"""Lock a sub-order that is ready; every change of its files or its state does this first, so that none deadlock."""

FILE_ARRIVED = sa.text(
    f"""
    WITH arrived AS (
        UPDATE order_files SET state = '{FileState.DOWNLOADED}'
        WHERE order_id = :order_id AND seq = :seq AND state IN ({_ARRIVING}) RETURNING seq
    )
    DELETE FROM file_coverage WHERE order_id = :order_id AND seq IN (SELECT seq FROM arrived)
    """  # noqa: S608 - the words are our own enum
)
"""A file is whole at its customer's; its coverage is of no more use."""

ALL_FILES_ARRIVED = sa.text(
    f"""
    SELECT NOT EXISTS (
        SELECT 1 FROM order_files
        WHERE order_id = :order_id AND suborder = :number AND state IN ({sql_list(UNDELIVERED_FILES)})
    )
    """  # noqa: S608 - the words are our own enum
)
"""Whether no file of a sub-order is left to be downloaded."""

SUBORDER_DOWNLOADED = sa.text(
    f"""
    WITH done AS (
        UPDATE suborders SET state = '{SubOrderState.DOWNLOADED}', state_at = now()
        WHERE order_id = :order_id AND number = :number AND state IN ({_READY}) RETURNING number
    ), files AS (
        UPDATE order_files SET state = '{FileState.DOWNLOADED}'
        WHERE order_id = :order_id AND suborder IN (SELECT number FROM done) AND state IN ({_ARRIVING}) RETURNING seq
    ), archive AS (
        DELETE FROM archive_coverage WHERE order_id = :order_id AND suborder IN (SELECT number FROM done)
    ), pieces AS (
        DELETE FROM file_coverage WHERE order_id = :order_id AND seq IN (SELECT seq FROM files)
    )
    SELECT number FROM done
    """  # noqa: S608 - the words are our own enum
)
"""A sub-order is downloaded, and so are its files; a row only for the one who changed it."""

FILES_LOST = sa.text(
    f"""
    WITH lost AS (
        UPDATE order_files f SET state = '{FileState.FAILED}', failure_code = l.code, failure_text = l.text
        FROM unnest(CAST(:seqs AS bigint[]), CAST(:codes AS text[]), CAST(:texts AS text[])) AS l(seq, code, text)
        WHERE f.order_id = :order_id AND f.suborder = :number AND f.seq = l.seq
          AND f.state IN ({sql_list(file_states_before(FileState.FAILED) & AVAILABLE_FILES)})
        RETURNING f.file_id
    ), doubted AS (
        UPDATE known_files SET doubted = true WHERE file_id IN (SELECT file_id FROM lost)
    ), part AS (
        UPDATE suborders SET state = '{SubOrderState.FAILED}', state_at = now(), archive_bytes = NULL,
            archive_etag = NULL, sealed_at = NULL, files_available = files_available - (SELECT count(*) FROM lost),
            files_failed = files_failed + (SELECT count(*) FROM lost)
        WHERE order_id = :order_id AND number = :number
          AND state IN ({sql_list(states_before(SubOrderState.FAILED))})
    )
    UPDATE orders SET files_available = files_available - (SELECT count(*) FROM lost),
        files_failed = files_failed + (SELECT count(*) FROM lost)
    WHERE id = :order_id RETURNING (SELECT count(*) FROM lost)
    """  # noqa: S608 - the words are our own enum
)
"""Files that cannot be had any more as they were sealed have failed, and with them the archive they were sealed in.

What was known of them is doubted: size and time may be as they were, and the bytes are not.
"""

APPEND_TO_CLOSED_ORDER = sa.text(
    """
    WITH known AS (
        SELECT 1 FROM timeline WHERE order_id = :order_id AND details @> jsonb_build_object('notice', CAST(:id AS text))
    ), o AS (
        UPDATE orders SET version = version + 1 WHERE id = :order_id AND NOT EXISTS (SELECT 1 FROM known)
        RETURNING id, version, status
    )
    INSERT INTO timeline (order_id, sequence, at, actor, what, status_before, status_after, reason_code, reason_text,
                          suborder, details)
    SELECT o.id, o.version, n.at, n.actor, n.what, o.status, o.status, n.reason_code, n.reason_text, n.suborder,
           n.details || jsonb_build_object('notice', CAST(:id AS text))
    FROM o, notices n WHERE n.id = CAST(:id AS uuid)
    """
)
"""Append an event to the timeline of an order whose workflow has closed, once."""


def outbox_events(
    *, before: datetime | None = None, id_: UUID | None = None, limit: int = 500
) -> sa.Select[OutboxEvent]:
    """Events that wait, the oldest first: those of before an instant, or a certain one."""
    query = sa.select(OutboxEvent).order_by(col(OutboxEvent.at)).limit(limit)
    if before is not None:
        query = query.where(col(OutboxEvent.at) < before)
    return query.where(col(OutboxEvent.id) == id_) if id_ is not None else query


def delete_event(event_id: UUID) -> sa.Delete:
    """Remove an event: the workflow, or the timeline itself, has it."""
    return sa.delete(OutboxEvent).where(col(OutboxEvent.id) == event_id)


def is_planned(order_id: UUID) -> sa.Select[bool]:
    """Whether an order has been cut into sub-orders, so that its files are known."""
    return sa.select(sa.exists().where(col(SubOrder.order_id) == order_id))


def file_of(order_id: UUID, key: int | UUID) -> sa.Select[OrderFile, SubOrder]:
    """A file of an order by its number or its id, with its sub-order."""
    wanted = col(OrderFile.seq) == key if isinstance(key, int) else col(OrderFile.file_id) == key
    return (
        sa.select(OrderFile, SubOrder)
        .join(SubOrder, sa.and_(col(SubOrder.order_id) == order_id, col(SubOrder.number) == col(OrderFile.suborder)))
        .where(col(OrderFile.order_id) == order_id, wanted)
        .order_by(col(OrderFile.seq))
        .limit(1)
    )


def linked_files(order_id: UUID, *, after: int, upto: int) -> sa.Select[*tuple[Any, ...]]:
    """Number, sub-order, path and size of files that can be had or may come yet.

    Where it is proven, SHA-256, then the length and the hashes of the pieces; else None.
    """
    proven = (col(OrderFile.sha256), col(OrderFile.piece_bytes), col(OrderFile.pieces))
    return (
        sa.select(
            col(OrderFile.seq),
            col(OrderFile.suborder),
            col(OrderFile.path),
            col(OrderFile.size_bytes),
            *(sa.case((col(OrderFile.state) != FileState.PENDING, column)) for column in proven),
        )
        .where(
            col(OrderFile.order_id) == order_id,
            col(OrderFile.seq) > after,
            col(OrderFile.seq) <= upto,
            col(OrderFile.state) != FileState.FAILED,
        )
        .order_by(col(OrderFile.seq))
    )


FOLDERS_IN_SEVERAL_SUBORDERS = sa.text(
    """
    SELECT lower(split_part(path, '/', 1)) FROM order_files WHERE order_id = :order_id
    GROUP BY 1 HAVING count(DISTINCT suborder) > 1
    """
)
"""Names of folders that several archives of an order have; side by side they would hide each other's files."""
