"""By what lists of orders are sorted and found: their sort keys and the indexes behind them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

TEXTS = ARRAY(sa.Text())

NEVER = "COALESCE(expires_at, 'infinity'::timestamp with time zone)"
"""When an order expires; what never does comes last."""

IN_NUMBERS_ORDER = "lpad(number, 32, '0'::text)"
"""The number so that it sorts as one: the serial behind the year grows without end, CO-2026-1000000 after …-999999."""


def _by(key: str) -> tuple[sa.TextClause, sa.TextClause]:
    return sa.text(f"{key} DESC"), sa.text("id DESC")


INDEXES = (
    sa.Index("ix_orders_status_newest", "status", *_by("created_at")),
    sa.Index("ix_orders_customer_status_newest", "customer", "status", *_by("created_at")),
    sa.Index("ix_orders_changed", *_by("status_at")),
    sa.Index("ix_orders_size", *_by("bytes_total")),
    sa.Index("ix_orders_expiry", *_by(NEVER)),
    sa.Index("ix_orders_in_numbers_order", *_by(IN_NUMBERS_ORDER)),
    sa.Index("ix_orders_with_errors", *_by("created_at"), postgresql_where=sa.text("files_failed > 0")),
    sa.Index(
        "ix_orders_failure",
        "failure_code",
        *_by("created_at"),
        postgresql_where=sa.text("failure_code IS NOT NULL"),
    ),
    sa.Index("ix_orders_skus", "skus", postgresql_using="gin"),
    sa.Index(
        "ix_orders_folded_tags",
        sa.text("folded_all(tags)"),
        postgresql_using="gin",
        postgresql_where=sa.text("tags <> '{}'::text[]"),
    ),
    sa.Index("ix_orders_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
)
"""One for each way to sort, read forwards or backwards; and one for each filter that few orders pass."""
