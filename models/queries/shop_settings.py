"""Queries for the shop's settings."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import col

from models.tables import KeptSettings
from models.tables.shop import THE_SHOP


def kept_settings() -> sa.Select[KeptSettings]:
    """The settings that admins have made; no row where nobody has."""
    return sa.select(KeptSettings).where(col(KeptSettings.id) == THE_SHOP)


def ensure_kept() -> Insert:
    """Make the row of the settings where there is none yet, so that it can be locked."""
    return insert(KeptSettings).values(id=THE_SHOP, version=0).on_conflict_do_nothing()
