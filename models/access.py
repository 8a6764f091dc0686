"""Who may do what: roles, scopes and permissions, and the caller they belong to."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple, Self

from models import listing
from models.credentials import Credential
from models.errors import Forbidden, InsufficientScope
from models.order import Command, OrderStatus, allowed_actions


class Role(StrEnum):
    """What a person is to Consignor; one may be several."""

    CUSTOMER = "customer"
    SUPPORT = "support"
    ADMIN = "admin"


class Scope(StrEnum):
    """What an access token of a script is for; it never allows more than its owner's roles."""

    READ = "read"
    ORDER = "order"
    OPERATE = "operate"


class Permission(StrEnum):
    """What a route, or a step within it, asks for."""

    READ = "read"
    """See the catalogue as far as one's groups reach, and one's own orders."""
    ORDER = "order"
    """Place orders, and command one's own."""
    ANNOTATE = "annotate"
    """Write notes on the orders one may see."""
    READ_ALL = "read_all"
    """See everybody's orders and every product."""
    COMMAND_ALL = "command_all"
    """Command everybody's orders."""
    CONFIRM_PAYMENT = "confirm_payment"
    """Say that an order has been paid."""
    EXTEND_FREELY = "extend_freely"
    """Keep an order for longer than its terms allow."""
    READ_SETTINGS = "read_settings"
    """See all settings of the shop, and who has changed them."""
    CHANGE_SETTINGS = "change_settings"
    """Change the settings of the shop."""
    MANAGE_TOKENS = "manage_tokens"
    """Make and revoke one's own access tokens."""
    MANAGE_ALL_CREDENTIALS = "manage_all_credentials"
    """See and revoke everybody's access tokens, and end their sessions."""
    MANAGE_CATALOGUE = "manage_catalogue"
    """Set what products cost, who may order them and how they are called, and have sources imported."""
    MANAGE_PRICES = "manage_prices"
    """Set price lists, discounts, coupons and tax."""


class Rule(NamedTuple):
    """The roles that a permission belongs to, and the scopes that let it through to a script."""

    roles: frozenset[Role]
    scopes: frozenset[Scope]


_P = Permission
_EVERYBODY = frozenset(Role)
_STAFF = frozenset({Role.SUPPORT, Role.ADMIN})
_BUYERS = frozenset({Role.CUSTOMER, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN})
_READING = frozenset({Scope.READ})
_WRITING = frozenset({Scope.ORDER, Scope.OPERATE})
_OPERATING = frozenset({Scope.OPERATE})
# No scope reaches access tokens: a script that leaks must not beget others.
_NO_SCRIPT = frozenset[Scope]()

RULES: Mapping[Permission, Rule] = MappingProxyType(
    {
        _P.READ: Rule(_EVERYBODY, _READING),
        _P.ORDER: Rule(_BUYERS, _WRITING),
        _P.ANNOTATE: Rule(_EVERYBODY, _WRITING),
        _P.READ_ALL: Rule(_STAFF, _READING),
        _P.COMMAND_ALL: Rule(_ADMINS, _OPERATING),
        _P.CONFIRM_PAYMENT: Rule(_ADMINS, _OPERATING),
        _P.EXTEND_FREELY: Rule(_ADMINS, _OPERATING),
        _P.READ_SETTINGS: Rule(_ADMINS, _READING),
        _P.CHANGE_SETTINGS: Rule(_ADMINS, _OPERATING),
        _P.MANAGE_TOKENS: Rule(_EVERYBODY, _NO_SCRIPT),
        _P.MANAGE_ALL_CREDENTIALS: Rule(_ADMINS, _NO_SCRIPT),
        _P.MANAGE_CATALOGUE: Rule(_ADMINS, _OPERATING),
        _P.MANAGE_PRICES: Rule(_ADMINS, _OPERATING),
    }
)
"""The one table of rules."""

# A permission without a rule ends the import: nobody is to have one by default, nor any script.
_GRANTS = {role: frozenset(permission for permission in Permission if role in RULES[permission].roles) for role in Role}


def granted(roles: Collection[Role]) -> frozenset[Permission]:
    """What these roles may together."""
    return frozenset(permission for role in roles for permission in _GRANTS[role])


def roles_with(permission: Permission) -> list[Role]:
    """The roles that may."""
    return [role for role in Role if role in RULES[permission].roles]


def needed_to_command(command: Command, *, own: bool) -> frozenset[Permission]:
    """What it takes to give a command to one's own order, or to somebody else's."""
    needed = {Permission.ORDER} if own else {Permission.ORDER, Permission.COMMAND_ALL}
    return frozenset(needed | ({Permission.CONFIRM_PAYMENT} if command is Command.CONFIRM_PAYMENT else set()))


def customer_id(realm: str, subject: str) -> str:
    """The stable, opaque name of a person: the same for the same subject of the same issuer, and nobody's address."""
    return sha256(f"{len(realm)}:{realm}{subject}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Caller:
    """Who is asking. Every query is scoped by it.

    `groups` open products, `scopes` narrow what the roles allow (None: not at all), `writes` says that the request
    at hand is one that changes something, and `credential` is what was shown.
    """

    customer: str
    roles: frozenset[Role] = frozenset({Role.CUSTOMER})
    groups: frozenset[str] = frozenset()
    scopes: frozenset[Scope] | None = None
    writes: bool = False
    credential: Credential | None = field(default=None, compare=False, repr=False)

    @property
    def actor(self) -> str:
        """How the timeline names the caller."""
        return f"{'operator' if Permission.COMMAND_ALL in granted(self.roles) else 'customer'}:{self.customer}"

    @property
    def visibility(self) -> listing.Visibility:
        """Whose orders the caller may see."""
        return listing.Visibility(None if self.sees_everything else self.customer)

    @property
    def sees_everything(self) -> bool:
        """Whether the caller sees everybody's orders, and reads and writes what is for operators alone."""
        return self.may(Permission.READ_ALL) or self.may(Permission.COMMAND_ALL)

    @property
    def admitted(self) -> frozenset[str] | None:
        """The groups whose products the caller may see besides the public ones; None for every product."""
        return None if Permission.READ_ALL in granted(self.roles) else self.groups

    @classmethod
    def known(
        cls,
        customer: str,
        roles: Iterable[str],
        groups: Iterable[str],
        scopes: Iterable[str] | None = None,
        credential: Credential | None = None,
    ) -> Self:
        """The caller that was written down so; roles and scopes that are no more are none."""
        return cls(
            customer=customer,
            roles=frozenset(Role(role) for role in roles if role in set(Role)),
            groups=frozenset(groups),
            scopes=None if scopes is None else frozenset(Scope(scope) for scope in scopes if scope in set(Scope)),
            credential=credential,
        )

    def may_command(self, *, own: bool) -> bool:
        """Whether roles and scopes allow to command one's own orders, or those of others."""
        return self.may(Permission.ORDER if own else Permission.COMMAND_ALL)

    def may(self, permission: Permission) -> bool:
        """Whether roles and scopes allow it."""
        return permission in granted(self.roles) and self._in_scope(permission)

    def require(self, permission: Permission) -> None:
        """Raise Forbidden where no role allows it, InsufficientScope where only the token does not."""
        if permission not in granted(self.roles):
            raise Forbidden(permission.replace("_", " "), roles_with(permission))
        if not self._in_scope(permission):
            raise InsufficientScope([scope for scope in Scope if scope in RULES[permission].scopes])

    def allowed_actions(self, status: OrderStatus, customer: str) -> tuple[Command, ...]:
        """The commands that an order of this customer allows in its status, and that the caller may give it."""
        own = customer == self.customer
        return tuple(c for c in allowed_actions(status) if all(map(self.may, needed_to_command(c, own=own))))

    def _in_scope(self, permission: Permission) -> bool:
        return self.scopes is None or not self.scopes.isdisjoint(RULES[permission].scopes)
