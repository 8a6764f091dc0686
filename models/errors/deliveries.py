"""Refusals about destinations."""

from models.errors.base import Refusal, RefusalWithFaults


class InvalidDestination(RefusalWithFaults):
    """A destination that cannot be saved, with every fault at once."""

    code = "invalid_destination"
    http_status = 422


class NameTaken(Refusal):
    """The customer already has a destination of this name."""

    code = "name_taken"
    http_status = 409

    def __init__(self, name: str) -> None:
        super().__init__(f"you already have a destination called {name}; choose another name, or remove that one")
