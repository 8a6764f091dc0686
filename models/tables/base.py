"""What all tables share: the metadata with its naming convention, and column shorthands."""

# No `from __future__ import annotations` in table modules: SQLModel reads the annotations at run time.
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

metadata = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

INSTANT = sa.DateTime(timezone=True)


def one_of(column: str, values: Iterable[str]) -> sa.CheckConstraint:
    """A CHECK that a text column holds one of the words; text, for a native enum cannot lose a value again."""
    words = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


def new_id() -> dict[str, Any]:
    """Column arguments of an identity that PostgreSQL mints in the order of time (UUIDv7, RFC 9562)."""
    return {"server_default": sa.text("uuidv7()")}


def now() -> dict[str, Any]:
    """Column arguments of an instant that defaults to the transaction's."""
    return {"server_default": sa.text("now()")}


def zero() -> dict[str, Any]:
    """Column arguments of a counter."""
    return {"server_default": sa.text("0")}
