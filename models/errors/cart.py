"""Refusals about carts."""

from models.errors.base import RefusalWithFaults


class NothingAdded(RefusalWithFaults):
    """Nothing of what was to be put into the cart can be ordered; each fault says why."""

    code = "nothing_added"
    http_status = 422
