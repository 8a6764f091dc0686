"""The facade as an application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException

from api import problems
from api.routes import archives, commands, health, identity, orders, payments, products, tokens
from api.schemas import Problem
from api.services import Services

API = "/api/v1"

NEEDS_A_CALLER: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody we know is asking"},
    403: {"model": Problem, "description": "The caller's roles, or the scopes of the token, do not allow it"},
}

Lifespan = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(open_services: Lifespan) -> FastAPI:
    """The application; `open_services` makes what the routes work with when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services() as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="Consignor",
        summary="Fulfils data orders.",
        version="1",
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    app.include_router(health.router)
    api = APIRouter(prefix=API)
    for module in (orders, commands, archives, products, tokens):
        api.include_router(module.router, responses=NEEDS_A_CALLER)
    # These say themselves who may.
    for module in (payments, identity):
        api.include_router(module.router)
    api.add_api_route("/{path:path}", _nothing_here, include_in_schema=False, methods=["GET", "HEAD"])
    app.include_router(api)
    return app


async def _nothing_here(path: str) -> None:
    """An unknown path of the API is a problem document, whatever else this server may serve."""
    raise HTTPException(404, f"there is nothing at {API}/{path}")
