"""Refusals about who is asking, and whether they may."""

from collections.abc import Iterable

from models.errors.base import Refusal

_REALM = 'Bearer realm="consignor"'


class Unauthenticated(Refusal):
    """The caller is not authenticated; `presented` says that something was shown which does not hold."""

    code = "unauthenticated"
    http_status = 401

    def __init__(self, text: str, *, presented: bool = True) -> None:
        self.presented = presented
        super().__init__(text)

    @property
    def challenge(self) -> str:
        """Nothing is said of a token where none was shown (RFC 6750, section 3)."""
        return _REALM + (', error="invalid_token"' if self.presented else "")


class Forbidden(Refusal):
    """The caller's roles do not allow it."""

    code = "forbidden"
    http_status = 403

    def __init__(self, what: str, roles: Iterable[str]) -> None:
        super().__init__(f"your roles do not allow this ({what}); it takes {' or '.join(roles)}")


class InsufficientScope(Refusal):
    """The caller might, but not with this access token; `scopes` names those of which one would do."""

    code = "insufficient_scope"
    http_status = 403

    def __init__(self, scopes: Iterable[str]) -> None:
        self.scopes = [str(scope) for scope in scopes]
        remedy = f"make one with the scope {' or '.join(self.scopes)}" if self.scopes else "sign in instead"
        super().__init__(f"this access token is not for that; {remedy}")

    @property
    def challenge(self) -> str:
        """Which scopes would do (RFC 6750, section 3)."""
        return f'{_REALM}, error="insufficient_scope", scope="{" ".join(self.scopes)}"'


class CrossSite(Refusal):
    """A request that carries a session cookie and may come from another site."""

    code = "cross_site"
    http_status = 403


class IdentityProviderUnavailable(Refusal):
    """The issuer's keys are needed and cannot be had; nothing has changed."""

    code = "identity_unavailable"
    http_status = 503
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("the identity provider does not answer; try again soon")
