"""What callers show to be believed, and in whose name something goes on when they have left."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class IssuerToken:
    """A token of the identity provider; nobody can revoke one alone, but all that were issued before an instant."""

    issued_at: datetime | None
    expires_at: datetime


@dataclass(frozen=True)
class BrowserSession:
    """A session of a browser, known by the hash of its secret."""

    secret_hash: bytes


@dataclass(frozen=True)
class ScriptToken:
    """An access token of Consignor."""

    id: UUID


Credential = IssuerToken | BrowserSession | ScriptToken


@dataclass(frozen=True)
class Grant:
    """In whose name something goes on, and until when nothing had been revoked."""

    customer: str
    since: datetime | None = None
    access_token: UUID | None = None

    def outlives(self, revoked_at: datetime | None) -> bool:
        """Whether it was made after a revocation, or there was none."""
        return revoked_at is None or (self.since is not None and self.since >= revoked_at)


def access_token_of(credential: Credential | None) -> UUID | None:
    """The access token that was shown, if it was one."""
    return credential.id if isinstance(credential, ScriptToken) else None
