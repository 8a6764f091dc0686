"""Routes to sign in and out with a browser, and of the caller's own identity."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.http.answers import CACHE_CONTROL, DATABASE_UNAVAILABLE, answers
from api.http.paths import below_prefix, public_prefix
from api.identity.authenticate import CallerDep, IdentityServices, IdentityServicesDep, cookie_name, require_own_site
from api.identity.login import Attempt
from api.identity.schemas import MePublic
from api.identity.secrets import hashed, new_secret
from api.identity.users import user_from_claims
from models.access import Caller, granted
from models.errors import CrossSite, Forbidden, IdentityProviderUnavailable, NotFound, Unauthenticated
from models.links import API
from models.queries import users as queries
from models.queries.users import upsert_user
from models.tables import Session, User
from services.credentials import make_room_for_session, require_role

LOGIN_COOKIE = "consignor_login"
_LOGIN_SECONDS = 600
_CALLBACK = f"{API}/callback"

router = APIRouter(tags=["identity"])


@router.get("/login", name="log-in", status_code=303, response_class=RedirectResponse)
@answers(IdentityProviderUnavailable, NotFound, CACHE_CONTROL)
async def log_in(
    services: IdentityServicesDep,
    return_to: Annotated[str | None, Query(max_length=1000, description="A path of this site.")] = None,
) -> Response:
    """Send a browser to the identity provider; it comes back to `return_to`."""
    url, attempt = await services.identity.login.begin(_callback(services), return_to)
    answer = RedirectResponse(url, 303, {"Cache-Control": "no-store"})
    _set(answer, services, LOGIN_COOKIE, attempt.cookie(), _LOGIN_SECONDS)
    return answer


@router.get("/callback", name="finish-log-in", status_code=303, response_class=RedirectResponse)
@answers(Forbidden, IdentityProviderUnavailable, Unauthenticated, DATABASE_UNAVAILABLE, CACHE_CONTROL)
async def finish_log_in(request: Request, services: IdentityServicesDep) -> Response:
    """Where the identity provider sends the browser back to."""
    attempt = Attempt.of(request.cookies.get(cookie_name(services.public_url, LOGIN_COOKIE)))
    now, login = services.now(), services.identity.login
    claims = await login.finish(attempt, dict(request.query_params), _callback(services), now)
    former = request.cookies.get(cookie_name(services.public_url))
    user = user_from_claims(services.identity.config, claims, now)
    secret = await _begin_session(services, user, former)
    services.identity.forget(user.id)
    # Only now: that they have no role any more is written down, and is so for their access tokens too.
    require_role(Caller.known(user.id, user.roles, user.groups))
    return_to = below_prefix(services.public_url, attempt.return_to)
    answer = RedirectResponse(return_to, 303, {"Cache-Control": "no-store"})
    _set(answer, services, LOGIN_COOKIE, "", 0)
    seconds = int(services.identity.config.session_timeout.total_seconds())
    _set(answer, services, None, secret, seconds)
    return answer


@router.post("/logout", name="log-out", status_code=204)
@answers(CrossSite, DATABASE_UNAVAILABLE)
async def log_out(request: Request, response: Response, services: IdentityServicesDep) -> None:
    """End the session of this browser; without one nothing happens."""
    if cookie := request.cookies.get(cookie_name(services.public_url)):
        require_own_site(services, request)
        async with services.sessions.begin() as session:
            await session.execute(queries.end_session(hashed(cookie)))
        _set(response, services, None, "", 0)


@router.get("/me", name="show-me")
async def show_me(services: IdentityServicesDep, caller: CallerDep) -> MePublic:
    """Who you are here, and what you may."""
    async with services.sessions.begin() as session:
        user = (await session.execute(queries.user_by_id(caller.customer))).scalar_one_or_none()
    return MePublic(
        id=caller.customer,
        name=user.name if user else None,
        email=user.email if user else None,
        roles=sorted(caller.roles),
        groups=sorted(caller.groups),
        permissions=sorted(permission for permission in granted(caller.roles) if caller.may(permission)),
        scopes=None if caller.scopes is None else sorted(caller.scopes),
    )


async def _begin_session(services: IdentityServices, user: User, former: str | None) -> str:
    """Begin a session under a new secret, and end the one that this browser had."""
    secret, now = new_secret(), services.now()
    async with services.sessions.begin() as session:
        await session.execute(upsert_user(user))
        if former:
            await session.execute(queries.end_session(hashed(former)))
        await session.execute(queries.end_stale_sessions(now))
        expires_at = now + services.identity.config.session_timeout
        if user.roles:
            await make_room_for_session(session, user.id)
            session.add(Session(secret_hash=hashed(secret), customer=user.id, created_at=now, expires_at=expires_at))
    return secret


def _callback(services: IdentityServices) -> str:
    return services.public_url + _CALLBACK


def _set(answer: Response, services: IdentityServices, name: str | None, value: str, seconds: int) -> None:
    """Set a cookie that no script can read; `lax`, or the way back from the issuer would not carry it.

    It goes to this server alone, not to what else its host serves.
    """
    answer.set_cookie(
        cookie_name(services.public_url, name) if name else cookie_name(services.public_url),
        value,
        max_age=seconds,
        path=public_prefix(services.public_url) or "/",
        secure=services.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
