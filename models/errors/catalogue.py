"""What can be wrong with what is imported into the catalogue, and with what administrators set there."""

from models.errors.base import Refusal, RefusalWithFaults


class InvalidProduct(RefusalWithFaults):
    """A change of a product that cannot be, with every fault at once."""

    code = "invalid_product"
    http_status = 422


class SourceUnreadable(Refusal):
    """Something of the source could not be looked at: nothing is known of it, not even that it is gone."""

    code = "source_unreadable"
    http_status = 422
