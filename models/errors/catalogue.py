"""What can be wrong with what is imported into the catalogue."""

from models.errors.base import Refusal


class SourceUnreadable(Refusal):
    """Something of the source could not be looked at: nothing is known of it, not even that it is gone."""

    code = "source_unreadable"
    http_status = 422
