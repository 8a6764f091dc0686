"""Who asks in the measurements of the facade: always the operator, whom no issuer has to vouch for."""

import httpx2
from fastapi import FastAPI

from api.identity.authenticate import require_default_permission
from api.identity.config import OidcConfig
from api.identity.oidc import OpenIdConnect
from models.access import Caller, Role

OPERATOR = Caller("bench", frozenset({Role.ADMIN}))


def identity() -> OpenIdConnect:
    """Identity of an issuer that nobody ever asks."""
    return OpenIdConnect(OidcConfig("https://login.example", "bench", realm="bench"), httpx2.AsyncClient())


def let_in(app: FastAPI) -> None:
    """Take everybody for the operator."""
    app.dependency_overrides[require_default_permission] = lambda: OPERATOR
