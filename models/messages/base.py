"""What all messages share: they are frozen, and ignore what only a newer version knows."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from models.text import one_line

MAX_NAMED_FILES = 1_000
"""Files that one command may name by their numbers; more are named by naming none."""
MAX_REASON_CHARACTERS = 500
# Cleaned, not refused: a signal shows no refusal to its sender, and what PostgreSQL cannot hold is retried for ever.
Reason = Annotated[str, AfterValidator(lambda text: one_line(text, MAX_REASON_CHARACTERS))]


class Message(BaseModel):
    """A Temporal payload: frozen; a newer version may add fields with defaults, an older one ignores them."""

    model_config = ConfigDict(frozen=True, extra="ignore")
