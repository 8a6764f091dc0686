"""From claims to a user, and to what is known of the token itself."""

from datetime import UTC, datetime
from typing import Any

from api.identity.config import ClaimNames, OidcConfig
from api.identity.token_verifier import Claims
from models.access import customer_id
from models.credentials import IssuerToken
from models.tables import User
from models.text import is_accepted, is_blank, one_line, tidied

MAX_GROUPS = 1_000

LAST_SECOND = datetime.max.replace(tzinfo=UTC).timestamp() - 1
"""What an instant can hold; a token may say that it never expires."""


def user_from_claims(config: OidcConfig, claims: Claims, now: datetime) -> User:
    """The user of a token that has been verified; without a role they are written down all the same."""
    names = config.claims
    return User(
        id=customer_id(config.realm or config.issuer, claims["sub"]),
        issuer=config.issuer,
        subject=claims["sub"],
        name=_text(_claim(claims, names.name)),
        email=_text(_claim(claims, names.email)),
        roles=_roles(names, claims),
        groups=sorted(set(_words(_claim(claims, names.groups))))[:MAX_GROUPS],
        asserted_at=min(_issued_at(claims) or now, now),
    )


def issuer_token(claims: Claims) -> IssuerToken:
    """What is looked at again of a token that has been verified."""
    return IssuerToken(_issued_at(claims), _instant(claims["exp"]))


def _roles(names: ClaimNames, claims: Claims) -> list[str]:
    roles = {role for word in _words(_claim(claims, names.roles)) if (role := names.known_roles.get(word)) is not None}
    if not roles and names.default_role is not None:
        roles = {names.default_role}
    return sorted(map(str, roles))


def _claim(claims: Claims, path: str) -> Any:
    """A claim by its whole name, for names may be URLs with dots, else by its path."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _words(claim: Any) -> list[str]:
    """A list of words, whether the issuer writes a list or one text with blanks."""
    found = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return [tidied(word) for word in found if isinstance(word, str) and is_accepted(word) and not is_blank(word)]


def _text(claim: Any) -> str | None:
    return one_line(claim, 200) if isinstance(claim, str) and not is_blank(claim) else None


def _issued_at(claims: Claims) -> datetime | None:
    """When the token was issued; the verifier has seen that this is not in the future by more than the leeway."""
    issued = claims.get("iat")
    return _instant(issued) if isinstance(issued, int | float) and issued >= 0 else None


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(seconds, LAST_SECOND), UTC)
