"""The people of a dev stack."""

from dataclasses import dataclass

from cli.runtime.oidc import DEV_ISSUER_PATH, DEV_REALM
from models.access import Role, customer_id


@dataclass(frozen=True)
class DevPerson:
    """Somebody to be."""

    user: str
    name: str
    role: Role
    groups: tuple[str, ...] = ()

    @property
    def customer(self) -> str:
        """Whose orders theirs are."""
        return customer_id(DEV_REALM, self.user)


PEOPLE = {
    person.user: person
    for person in (
        DevPerson("alice", "Alice Ahlgren", Role.CUSTOMER, ("partners",)),
        DevPerson("bob", "Bob Bauer", Role.CUSTOMER),
        DevPerson("sam", "Sam Support", Role.SUPPORT),
        DevPerson("admin", "Ada Admin", Role.ADMIN),
    )
}

DEFAULT = PEOPLE["alice"]
"""Who our own commands are on a dev stack."""


def issuer_url(api: str) -> str:
    """The issuer of the dev stack whose API is there."""
    return api + DEV_ISSUER_PATH
