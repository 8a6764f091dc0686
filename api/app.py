"""The facade as an application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from api import problems
from api.bodies import StrictBodies
from api.limiting import LimitsTold
from api.observing import Observed
from api.routes import (
    annotations,
    archives,
    bulks,
    commands,
    destinations,
    estimates,
    events,
    exports,
    files,
    health,
    identity,
    links,
    metalinks,
    operations,
    orders,
    payments,
    products,
    results,
    stac,
    tokens,
    views,
)
from api.schemas import Problem
from api.services import Services

API = "/api/v1"

NEEDS_A_CALLER: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody we know is asking"},
    403: {"model": Problem, "description": "The caller's roles, or the scopes of the token, do not allow it"},
}

Lifespan = Callable[[], AbstractAsyncContextManager[Services]]


class _Facade(FastAPI):
    """FastAPI with layers round everything, its own answer to mistakes included."""

    def build_middleware_stack(self) -> ASGIApp:
        return Observed(LimitsTold(StrictBodies(super().build_middleware_stack())))


def create_app(open_services: Lifespan) -> FastAPI:
    """The application; `open_services` makes what the routes work with when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services() as services:
            app.state.services = services
            yield

    app = _Facade(
        title="Consignor",
        summary="Fulfils data orders.",
        version="1",
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    app.include_router(health.router)
    app.include_router(operations.router)
    api = APIRouter(prefix=API)
    for router in (
        # Notes stand before commands, whose names would be any word.
        *(bulks.router, exports.router, orders.router, annotations.router, commands.router),
        *(destinations.router, results.router, tokens.router, views.router),
        *(archives.router, files.router, metalinks.router, links.router, products.router),
        *(events.router, operations.stats_router, estimates.router),
    ):
        api.include_router(router, responses=NEEDS_A_CALLER)
    # These say themselves who may.
    for module in (payments, identity):
        api.include_router(module.router)
    # GET alone: taking HEAD too, it would deny what GET shows; so a HEAD is 405 wherever GET is the only method.
    api.add_api_route("/{path:path}", problems.nothing_here, include_in_schema=False, methods=["GET"])
    app.include_router(api)
    app.include_router(stac.router, responses=NEEDS_A_CALLER)
    return app
