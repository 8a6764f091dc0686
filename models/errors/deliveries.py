"""Refusals about destinations."""

from models.errors.base import Refusal, RefusalWithFaults


class InvalidDestination(RefusalWithFaults):
    """A destination that cannot be saved, with every fault at once."""

    code = "invalid_destination"
    http_status = 422


class TooManyTests(Refusal):
    """As many tests of a destination's server are under way as one server may have."""

    code = "too_many_tests"
    http_status = 503
    retry_after = 15

    def __init__(self) -> None:
        super().__init__("several tests of this destination's server are under way and wait for it; try again later")


class NameTaken(Refusal):
    """The customer already has a destination of this name."""

    code = "name_taken"
    http_status = 409

    def __init__(self, name: str) -> None:
        super().__init__(f"you already have a destination called {name}; choose another name, or remove that one")
