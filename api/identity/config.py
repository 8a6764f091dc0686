"""The settings of OpenID Connect: whose tokens are accepted, and which of their claims mean what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from models.access import Role


@dataclass(frozen=True)
class ClaimNames:
    """Where a token says what. A dot leads into an object: `realm_access.roles`."""

    roles: str = "roles"
    groups: str = "groups"
    name: str = "name"
    email: str = "email"
    known_roles: Mapping[str, Role] = field(default_factory=lambda: {str(role): role for role in Role})
    """The issuer's word for each of our roles."""
    default_role: Role | None = Role.CUSTOMER
    """The role of a user who has none of these; None refuses them."""


@dataclass(frozen=True)
class OidcConfig:
    """The issuer whose tokens are accepted, and our client there."""

    issuer: str
    audience: str
    client_id: str | None = None
    client_secret: str | None = None
    shell_client_id: str | None = None
    """The public client with which commands of people's shells sign in."""
    shell_scopes: tuple[str, ...] = ("openid", "profile", "email")
    realm: str | None = None
    """What customer ids are made from instead of the issuer's address; it must stay when the address changes."""
    claims: ClaimNames = ClaimNames()
    session_timeout: timedelta = timedelta(hours=12)
    leeway: timedelta = timedelta(seconds=30)
    """How far the clocks of issuer and API may be apart."""
