"""The people of a dev stack, and the names under which API and issuer know each other."""

from dataclasses import dataclass

from models.access import Role, customer_id

MOUNT = "/dev/issuer"
CLIENT_ID = "consignor-pages"
AUDIENCE = "consignor"
REALM = "consignor-dev"
"""Customers are made from this, not from the issuer's address: the port of a dev stack may be another every day."""


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
        return customer_id(REALM, self.user)


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
    return api + MOUNT
