"""What can be wrong with what administrators say of prices."""

from models.errors.base import RefusalWithFaults


class InvalidPrice(RefusalWithFaults):
    """A price, a discount or a rate of tax that cannot be, with every fault at once."""

    code = "invalid_price"
    http_status = 422
