"""Users: who has signed in, their sessions in a browser, and the access tokens of their scripts."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from models.tables.base import INSTANT, new_id


class User(SQLModel, table=True):
    """A user as the issuer last described them, at `asserted_at`; the id is the customer of their orders."""

    __tablename__ = "people"

    id: str = Field(sa_type=sa.Text, primary_key=True)
    issuer: str = Field(sa_type=sa.Text)
    subject: str = Field(sa_type=sa.Text)
    name: str | None = Field(default=None, sa_type=sa.Text)
    email: str | None = Field(default=None, sa_type=sa.Text)
    roles: list[str] = Field(sa_type=ARRAY(sa.Text))
    groups: list[str] = Field(sa_type=ARRAY(sa.Text))
    asserted_at: datetime = Field(sa_type=INSTANT)
    signed_out_at: datetime | None = Field(default=None, sa_type=INSTANT)
    """Whatever the issuer had issued for them until then is refused."""


class Session(SQLModel, table=True):
    """A browser that has signed in. The cookie's secret is kept as its hash only."""

    __tablename__ = "sessions"
    __table_args__ = (
        sa.Index("ix_sessions_expires_at", "expires_at"),
        sa.Index("ix_sessions_customer", "customer", "created_at"),
    )

    secret_hash: bytes = Field(sa_type=sa.LargeBinary, primary_key=True)
    customer: str = Field(sa_type=sa.Text, foreign_key="people.id", ondelete="CASCADE")
    created_at: datetime = Field(sa_type=INSTANT)
    expires_at: datetime = Field(sa_type=INSTANT)


class AccessToken(SQLModel, table=True):
    """What a script shows in its owner's place; the secret is kept as its hash, and a revoked row as a record."""

    __tablename__ = "access_tokens"
    __table_args__ = (
        sa.UniqueConstraint("secret_hash"),
        sa.Index("ix_access_tokens_customer", "customer", "id"),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    customer: str = Field(sa_type=sa.Text, foreign_key="people.id", ondelete="CASCADE")
    name: str = Field(sa_type=sa.Text)
    secret_hash: bytes = Field(sa_type=sa.LargeBinary)
    scopes: list[str] = Field(sa_type=ARRAY(sa.Text))
    created_at: datetime = Field(sa_type=INSTANT)
    expires_at: datetime = Field(sa_type=INSTANT)
    revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)
    last_used_at: datetime | None = Field(default=None, sa_type=INSTANT)
