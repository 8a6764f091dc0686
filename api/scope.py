"""Whose orders somebody may see, as a value that queries and streams are narrowed by."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """One customer's orders, or everybody's (None)."""

    customer: str | None
