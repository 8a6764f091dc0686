"""What callers show to be believed, and in whose name something goes on when they have left."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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

    def as_text(self, owner: str) -> str:
        """As links of an order carry it; empty for what its owner made without an access token, never yet revoked."""
        return "-".join(
            [
                *([f"s{(self.since - _EPOCH) // timedelta(microseconds=1)}"] if self.since is not None else []),
                *([f"t{self.access_token.hex}"] if self.access_token is not None else []),
                *([f"c{self.customer}"] if self.customer != owner else []),
            ]
        )

    @classmethod
    def of_text(cls, text: str, owner: str) -> Self:
        """The grant that a link of ours carries."""
        parts = {part[0]: part[1:] for part in text.split("-", 2) if part}
        return cls(
            parts.get("c", owner),
            _EPOCH + timedelta(microseconds=int(parts["s"])) if "s" in parts else None,
            UUID(hex=parts["t"]) if "t" in parts else None,
        )


def access_token_of(credential: Credential | None) -> UUID | None:
    """The access token that was shown, if it was one."""
    return credential.id if isinstance(credential, ScriptToken) else None
