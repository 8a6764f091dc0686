"""Authentication and authorization of requests: what a route declares to have a caller, and one who may."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Annotated, Protocol, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.types import Scope

from api.http.answers import DATABASE_UNAVAILABLE, answers
from api.http.bodies import ROOM_FROM, declared_bytes
from api.http.container import Container, services
from api.http.limiting import Ceiling, RequestRate
from api.http.methods import SAFE_METHODS
from api.http.paths import public_prefix
from api.http.policy import CALLER
from api.identity.oidc import OpenIdConnect
from api.identity.secrets import PREFIX, hashed
from api.matched_route import matched_route
from database.known_askers import STRANGERS, KnownAskers
from models.access import Caller, Permission
from models.cors import CorsPolicy
from models.errors import (
    CrossSite,
    Forbidden,
    IdentityProviderUnavailable,
    InsufficientScope,
    TooManyRequests,
    Unauthenticated,
)
from models.links import API
from services.credentials import caller_of_secret, caller_of_session

SESSION_COOKIE = "consignor_session"
CSRF_HEADER = "X-CSRF"

# They describe the schemes in the OpenAPI document; what they hold is read from the request, which knows both at once.
BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="A token of the identity provider, or an access token of Consignor (`cnsg_…`).",
)
SESSION = APIKeyCookie(
    name=SESSION_COOKIE,
    auto_error=False,
    scheme_name="session",
    description=f"A browser that has signed in at `{API}/login`. Over HTTPS the name begins with `__Host-`, or with"
    " `__Secure-` where the API is served below a path. Requests that change something must come from the site itself"
    f" (`Origin`) or carry the header `{CSRF_HEADER}`.",
)


class IdentityServices(Container, Protocol):
    """What this room takes of the application that serves a request."""

    @property
    def identity(self) -> OpenIdConnect:
        """The issuer whose tokens are accepted."""

    @property
    def cors(self) -> CorsPolicy:
        """Whose pages may ask."""

    @property
    def rate(self) -> RequestRate:
        """How many requests each caller may send."""

    @property
    def large_bodies(self) -> Ceiling:
        """How many requests with large bodies may be under way."""

    @property
    def askers(self) -> KnownAskers:
        """Who showed what the last time."""


IdentityServicesDep = Annotated[IdentityServices, Depends(services)]

BearerGiven = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
SessionGiven = Annotated[str | None, Security(SESSION)]


def cookie_name(public_url: str, name: str = SESSION_COOKIE) -> str:
    """The name of a cookie; over HTTPS one that no sister site can set (RFC 6265bis, `__Host-`).

    Below a path of a host it belongs to that path, and so is only secure: `__Host-` would send it to the whole host.
    """
    if not public_url.startswith("https:"):
        return name
    return f"__Secure-{name}" if public_prefix(public_url) else f"__Host-{name}"


@answers(
    Unauthenticated,
    Forbidden,
    InsufficientScope,
    CrossSite,
    TooManyRequests,
    IdentityProviderUnavailable,
    DATABASE_UNAVAILABLE,
)
async def authenticate(
    request: Request, services: IdentityServicesDep, _bearer: BearerGiven = None, _session: SessionGiven = None
) -> Caller:
    """The caller of a request.

    Raises Unauthenticated, Forbidden, CrossSite, IdentityProviderUnavailable or TooManyRequests.
    """
    if (known := cast("Caller | None", request.scope.get(CALLER))) is not None:
        return known
    credentials, cookie = _shown(request, services)
    if credentials:
        caller = await _by_header(services, credentials)
    elif cookie:
        caller = await _by_session(services, request, cookie)
    else:
        raise Unauthenticated("sign in, or send a token: `Authorization: Bearer …`", presented=False)
    services.rate.take(request, caller.customer)
    services.askers.ask_as_owner(credentials or cookie, caller.customer)
    caller = replace(caller, writes=request.method not in SAFE_METHODS)
    request.scope[CALLER] = caller
    return caller


def asker_of(scope: Scope) -> str:
    """Who showed what a request shows the last time; nothing is looked up, and it gives no right."""
    services: IdentityServices = scope["app"].state.services
    credentials, cookie = _shown(Request(scope), services)
    asker = services.askers.asker_of(credentials or cookie)
    if asker != STRANGERS:
        return asker
    return next((kind for start, kind in _KINDS_OF_STRANGERS if scope["path"].startswith(start)), STRANGERS)


_KINDS_OF_STRANGERS = (("/healthz", "probes"), ("/readyz", "probes"), (f"{API}/links/", "holders of links"))
"""Paths where nobody says who they are: a crowd that signs in keeps neither probes nor downloads by links waiting."""


def _shown(request: Request, services: IdentityServices) -> tuple[list[str], str | None]:
    """The credentials and the session cookie of a request."""
    return request.headers.getlist("authorization"), request.cookies.get(cookie_name(services.public_url))


async def identify(scope: Scope) -> None:
    """Find the caller before anything of the body is read, where the route takes one. Raises what `authenticate` does.

    FastAPI reads and parses bodies first, and asks who sent them then.
    """
    # What is mounted here, as the dev stack's issuer is, has routes of another kind, which take nobody.
    dependant = getattr(matched_route(scope), "dependant", None)
    if dependant is not None and _takes_caller(dependant):
        _check_room(scope)
        await authenticate(Request(scope), scope["app"].state.services)


def _check_room(scope: Scope) -> None:
    """Raise TooManyRequests at once for one large body too many of somebody who has just shown the same.

    Whoever sends them without a pause costs next to nothing that way; looked up, each costs as much as a small request.
    """
    if declared_bytes(scope) > ROOM_FROM and (asker := asker_of(scope)) != STRANGERS:
        services: IdentityServices = scope["app"].state.services
        services.large_bodies.check(asker)


def room_for_large_body(scope: Scope) -> AbstractContextManager[None]:
    """Count a request with a large body as its caller's; those of routes that take none count together."""
    caller: Caller | None = scope.get(CALLER)
    services: IdentityServices = scope["app"].state.services
    return services.large_bodies.room(caller.customer if caller else STRANGERS)


def _takes_caller(dependant: Dependant) -> bool:
    return dependant.call is authenticate or any(map(_takes_caller, dependant.dependencies))


AuthenticatedCaller = Annotated[Caller, Depends(authenticate)]


async def require_default_permission(caller: AuthenticatedCaller) -> Caller:
    """Require what a route takes that answers nothing else: to read takes `read`, to change anything `order`."""
    caller.require(Permission.ORDER if caller.writes else Permission.READ)
    return caller


class RequirePermission:
    """The dependency of a route that requires a permission of its own."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, caller: AuthenticatedCaller) -> Caller:
        """The caller, if permitted. Raises Forbidden or InsufficientScope."""
        caller.require(self.permission)
        return caller


# A route takes one of these. A new permission is one more line.
CallerDep = Annotated[Caller, Depends(require_default_permission)]
ReaderDep = Annotated[Caller, Depends(RequirePermission(Permission.READ))]
AnnotatorDep = Annotated[Caller, Depends(RequirePermission(Permission.ANNOTATE))]
SettingsReaderDep = Annotated[Caller, Depends(RequirePermission(Permission.READ_SETTINGS))]
SettingsChangerDep = Annotated[Caller, Depends(RequirePermission(Permission.CHANGE_SETTINGS))]
TokenOwnerDep = Annotated[Caller, Depends(RequirePermission(Permission.MANAGE_TOKENS))]
PriceReaderDep = Annotated[Caller, Depends(RequirePermission(Permission.READ_ALL))]
PriceManagerDep = Annotated[Caller, Depends(RequirePermission(Permission.MANAGE_PRICES))]
CatalogueManagerDep = Annotated[Caller, Depends(RequirePermission(Permission.MANAGE_CATALOGUE))]


async def _by_header(services: IdentityServices, credentials: list[str]) -> Caller:
    scheme, _, token = credentials[0].partition(" ")
    token = token.strip()
    if len(credentials) > 1 or scheme.lower() != "bearer" or not token or not token.isascii():
        raise Unauthenticated("give one header `Authorization: Bearer …` with one token")
    if token.startswith(PREFIX):
        return await _by_access_token(services, token)
    return await services.identity.caller_of_token(services.sessions, token, services.now())


async def _by_access_token(services: IdentityServices, token: str) -> Caller:
    async with services.sessions.begin() as session:
        return await caller_of_secret(session, hashed(token), services.now())


async def _by_session(services: IdentityServices, request: Request, cookie: str) -> Caller:
    if request.method not in SAFE_METHODS:
        require_own_site(services, request)
    async with services.sessions.begin() as session:
        return await caller_of_session(session, hashed(cookie), services.now())


def require_own_site(services: IdentityServices, request: Request) -> None:
    """Raise CrossSite unless the request comes from this site: a browser sends its cookie for any site's request.

    A browser always says the `Origin` of what changes something. What says none is no browser, and proves it with a
    header that no page of another site may send without our leave.
    """
    origin = request.headers.get("origin")
    if origin is None and CSRF_HEADER in request.headers:
        return
    if origin is None:
        raise CrossSite(f"a request with a session cookie has to send its `Origin`, or the header {CSRF_HEADER}")
    public = urlsplit(services.public_url)
    host = request.headers.get("host", "")
    own = {f"{public.scheme}://{public.netloc}", f"{public.scheme}://{host}"}
    if origin not in own and not services.cors.trusts(origin):
        raise CrossSite("a request with a session cookie must come from the site itself")
