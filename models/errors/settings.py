"""Refusals about the shop's settings."""

from models.errors.base import RefusalWithFaults


class InvalidSettings(RefusalWithFaults):
    """Settings that cannot be made so, with every fault at once."""

    code = "invalid_settings"
    http_status = 422
