"""The bodies of routes about users and their access tokens."""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.schemas import WHOLE
from models.access import Permission, Role, Scope
from models.text import checked

MAX_DAYS = 366
DEFAULT_DAYS = 90
MAX_NAME_CHARACTERS = 100


class MePublic(BaseModel):
    """Who you are here, and what you may."""

    id: str
    name: str | None
    email: str | None
    roles: list[Role]
    groups: list[str]
    permissions: list[Permission]
    scopes: list[Scope] | None = Field(description="What this access token is for; null for a person.")


class SignedOutPublic(BaseModel):
    """How much ended."""

    sessions: int
    access_tokens: int


class TokenCreate(BaseModel):
    """A new access token: what it is called, what it is for, and for how long."""

    # Strict but for the scopes, whose words are text in JSON.
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "nightly", "scopes": ["read"]}]})

    name: Annotated[
        str,
        Field(strict=True, json_schema_extra={"minLength": 1, "maxLength": MAX_NAME_CHARACTERS}),
        AfterValidator(partial(checked, limit=MAX_NAME_CHARACTERS)),
    ]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS), WHOLE] = DEFAULT_DAYS


class TokenPublic(BaseModel):
    """An access token, without its secret."""

    id: UUID
    customer: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class TokenCreated(TokenPublic):
    """A new access token; `token` is shown this once and never again."""

    token: str


class TokensPublic(BaseModel):
    """A page of access tokens that have not been revoked, the newest first; `next_cursor` leads to the next."""

    items: list[TokenPublic]
    next_cursor: str | None
