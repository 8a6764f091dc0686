"""The shop's settings as admins have made them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

THE_SHOP = 1


class KeptSettings(SQLModel, table=True):
    """The one row of all settings that are not left to environment or default; `version` grows with every change."""

    __tablename__ = "shop_settings"
    __table_args__ = (sa.CheckConstraint(f"id = {THE_SHOP}", name="one_shop"),)

    id: int = Field(default=THE_SHOP, primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int = Field(default=0, sa_type=sa.BigInteger)
    values: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
