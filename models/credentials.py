"""What callers show to be believed; it is looked at again while something goes on in their name."""

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
