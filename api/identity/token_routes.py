"""Access tokens for scripts: made, listed and revoked by their owners."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.http.answers import CACHE_CONTROL, LOCATION, answers
from api.http.cursors import Cursors
from api.http.idempotency import IdempotentDep
from api.identity.authenticate import IdentityServicesDep, TokenOwnerDep
from api.identity.schemas import TokenCreate, TokenCreated, TokenPublic, TokensPublic
from api.identity.secrets import hashed, new_access_token
from api.schemas import PageCursor, PageLimit
from models.access import Caller, Permission, Scope
from models.errors import InvalidCursor, NotFound, QuotaExceeded
from models.links import API
from models.queries import users as queries
from models.tables import AccessToken
from services.numbers import TOKENS, require_room

router = APIRouter(prefix="/tokens", tags=["identity"])


@router.post("", name="create-token", status_code=201, response_model=TokenCreated)
@answers(QuotaExceeded, CACHE_CONTROL, LOCATION)
async def create_token(
    body: TokenCreate, services: IdentityServicesDep, caller: TokenOwnerDep, idempotent: IdempotentDep
) -> Response:
    """Make an access token. Its secret is in this answer and nowhere else; keep it well."""
    secret, now = new_access_token(), services.now()
    row = AccessToken(
        customer=caller.customer,
        name=body.name,
        secret_hash=hashed(secret),
        scopes=sorted(set(body.scopes)),
        created_at=now,
        expires_at=now + timedelta(days=body.days),
    )
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        await require_room(session, TOKENS, caller.customer)
        session.add(row)
        await session.flush()
        await session.refresh(row)
        made = TokenCreated(**_public(row).model_dump(), token=secret)
        headers = {"Cache-Control": "no-store", "Location": f"{services.public_url}{API}/tokens/{row.id}"}
        return await idempotent.respond(session, caller, made, headers)


@router.get("", name="list-tokens")
@answers(InvalidCursor)
async def list_tokens(
    services: IdentityServicesDep,
    caller: TokenOwnerDep,
    scope: Annotated[Literal["mine", "all"], Query(description="`all` is for administrators.")] = "mine",
    limit: PageLimit = 100,
    cursor: PageCursor = None,
) -> TokensPublic:
    """Your access tokens that have not been revoked, newest first."""
    if scope == "all":
        caller.require(Permission.MANAGE_ALL_CREDENTIALS)
    whose = caller.customer if scope == "mine" else None
    cursors = Cursors(services.cursor_key, f"{caller.customer}\n{whose!r}\ntokens")
    after = cursors.id(cursor)
    async with services.sessions.begin() as session:
        rows = (await session.execute(queries.page_of_tokens(whose, after, limit + 1))).scalars().all()
    page, following = cursors.cut(rows, limit, "id")
    return TokensPublic(items=[_public(row) for row in page], next_cursor=following)


@router.get("/{token_id}", name="show-token")
@answers(NotFound)
async def show_token(token_id: UUID, services: IdentityServicesDep, caller: TokenOwnerDep) -> TokenPublic:
    """One access token, without its secret."""
    async with services.sessions.begin() as session:
        row = (await session.execute(queries.live_token(_whose(caller), token_id))).scalar_one_or_none()
    if row is None:
        raise NotFound("access token", token_id)
    return _public(row)


@router.delete("/{token_id}", name="revoke-token", status_code=204)
@answers(NotFound)
async def revoke_token(token_id: UUID, services: IdentityServicesDep, caller: TokenOwnerDep) -> None:
    """Revoke an access token, at once and for good; administrators may revoke anybody's."""
    async with services.sessions.begin() as session:
        row = (await session.execute(queries.live_token(_whose(caller), token_id))).scalar_one_or_none()
        if row is None:
            raise NotFound("access token", token_id)
        row.revoked_at = services.now()
        session.add(row)


def _whose(caller: Caller) -> str | None:
    return None if caller.may(Permission.MANAGE_ALL_CREDENTIALS) else caller.customer


def _public(row: AccessToken) -> TokenPublic:
    return TokenPublic(
        id=row.id,
        customer=row.customer,
        name=row.name,
        scopes=[Scope(scope) for scope in row.scopes],
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
