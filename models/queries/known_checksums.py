"""Queries for what is known of catalogue files from an earlier read."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.tables import CatalogueFile, KnownFile

# The product's row is locked by an import, which may be about to forget: then nothing is remembered now.
_UPSERT = """
    ON CONFLICT (file_id) DO UPDATE SET size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns,
        etag = excluded.etag, sha256 = excluded.sha256, crc32 = excluded.crc32, piece_bytes = excluded.piece_bytes,
        pieces = excluded.pieces, read_at = now(), doubted = false
"""

UPSERT_STAGED = sa.text(
    f"""
    WITH product AS (
        SELECT p.id FROM products p JOIN suborders s ON (s.sku, s.location) = (p.sku, p.location)
        WHERE s.order_id = :order_id AND s.number = :number FOR SHARE OF p SKIP LOCKED
    )
    INSERT INTO known_files (file_id, size_bytes, modified_ns, etag, sha256, crc32, piece_bytes, pieces)
    SELECT DISTINCT ON (f.file_id)
        f.file_id, f.size_bytes, f.modified_ns, s.etag, f.sha256, f.crc32, f.piece_bytes, f.pieces
    FROM unnest(CAST(:seqs AS bigint[]), CAST(:etags AS text[])) AS s(seq, etag)
    CROSS JOIN LATERAL (
        SELECT * FROM order_files WHERE order_id = :order_id AND seq = s.seq AND state = 'available' OFFSET 0
    ) AS f
    CROSS JOIN LATERAL (
        SELECT object_id FROM catalogue_files
        WHERE id = f.file_id AND (href, size_bytes) = (f.href, f.size_bytes) OFFSET 0
    ) AS c
    JOIN catalogue_objects o ON o.id = c.object_id JOIN product p ON p.id = o.product_id
    {_UPSERT}
    """  # noqa: S608 - our own words
)
"""Remember what staging has read, where the catalogue still means that file; looked up as `SETTLE_FILES` does."""

UPSERT_READ = sa.text(
    f"""
    WITH product AS (
        SELECT id FROM products WHERE id = :product AND location = :location FOR SHARE SKIP LOCKED
    )
    INSERT INTO known_files (file_id, size_bytes, modified_ns, etag, sha256, crc32, piece_bytes, pieces)
    SELECT c.id, c.size_bytes, c.modified_ns, s.etag, s.sha256, s.crc, s.piece_bytes, s.pieces
    FROM unnest(CAST(:ids AS uuid[]), CAST(:hrefs AS text[]), CAST(:sizes AS bigint[]), CAST(:modified AS bigint[]),
                CAST(:etags AS text[]), CAST(:sha256s AS bytea[]), CAST(:crcs AS bigint[]),
                CAST(:piece_bytes AS bigint[]), CAST(:pieces AS bytea[]))
         AS s(id, href, size, modified, etag, sha256, crc, piece_bytes, pieces)
    JOIN catalogue_files c ON c.id = s.id AND (c.href, c.size_bytes, c.modified_ns) = (s.href, s.size, s.modified)
    JOIN catalogue_objects o ON o.id = c.object_id JOIN product p ON p.id = o.product_id
    {_UPSERT}
    RETURNING file_id
    """  # noqa: S608 - our own words
)
"""Remember what was read ahead of any order, where the catalogue still means that version."""

MISSING_OF_PRODUCT = sa.text(
    """
    SELECT count(*), CAST(coalesce(sum(c.size_bytes), 0) AS bigint)
    FROM catalogue_files c JOIN catalogue_objects o ON o.id = c.object_id
    LEFT JOIN known_files k ON k.file_id = c.id AND (k.size_bytes, k.modified_ns) = (c.size_bytes, c.modified_ns)
    WHERE o.product_id = :product AND c.tier = 'online' AND k.file_id IS NULL
    """
)
"""How many files of a product have no known checksum of their present version, and their bytes."""

MISSING_PAGE = sa.text(
    """
    SELECT c.id, o.name || '/' || c.name, c.href, c.size_bytes, c.modified_ns, c.sha256
    FROM catalogue_files c JOIN catalogue_objects o ON o.id = c.object_id
    LEFT JOIN known_files k ON k.file_id = c.id AND (k.size_bytes, k.modified_ns) = (c.size_bytes, c.modified_ns)
    WHERE o.product_id = :product AND c.tier = 'online' AND k.file_id IS NULL AND c.id > :after
    ORDER BY c.id LIMIT :limit
    """
)
"""A page of them, by id behind `after`. Nearline files are left out: reading ahead would recall a whole archive."""


def known_among(files: Sequence[UUID]) -> sa.Select[UUID]:
    """Those of the catalogue files whose checksums are known, of whatever version of their size."""
    same_file = sa.and_(
        col(KnownFile.file_id) == col(CatalogueFile.id), col(KnownFile.size_bytes) == col(CatalogueFile.size_bytes)
    )
    among = col(CatalogueFile.id) == sa.any_(sa.literal(list(files), ARRAY(sa.Uuid)))
    return sa.select(col(CatalogueFile.id)).join(KnownFile, same_file).where(among)
