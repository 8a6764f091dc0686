"""The table of idempotency keys: requests that may be sent again, and the answers they got."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.tables.base import INSTANT


class IdempotencyKey(SQLModel, table=True):
    """A request, and its answer for as long as the same request gets the same one; no answer yet while it is served."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (sa.Index("ix_idempotency_keys_expires_at", "expires_at"),)

    caller: str = Field(sa_type=sa.Text, primary_key=True)
    # The hash of caller and key, in hexadecimal digits: a copy of this table repeats nobody's request.
    key: str = Field(sa_type=sa.Text, primary_key=True)
    request_hash: bytes = Field(sa_type=sa.LargeBinary)
    status: int | None = Field(default=None)
    headers: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    # Empty where the answer showed a secret, which is kept nowhere.
    body: bytes = Field(default=b"", sa_type=sa.LargeBinary)
    expires_at: datetime = Field(sa_type=INSTANT)
