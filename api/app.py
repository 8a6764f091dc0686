"""The facade as an application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from api import problems
from api.observing import Observed
from api.routes import archives, commands, events, health, operations, orders, payments, products
from api.services import Services

API = "/api/v1"

Lifespan = Callable[[], AbstractAsyncContextManager[Services]]


class _Facade(FastAPI):
    """FastAPI with one layer round everything, its own answer to mistakes included."""

    def build_middleware_stack(self) -> ASGIApp:
        return Observed(super().build_middleware_stack())


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
    for module in (orders, commands, payments, archives, products, events):
        api.include_router(module.router)
    api.include_router(operations.stats_router)
    api.add_api_route("/{path:path}", _nothing_here, include_in_schema=False, methods=["GET", "HEAD"])
    app.include_router(api)
    return app


async def _nothing_here(path: str) -> None:
    """An unknown path of the API is a problem document, whatever else this server may serve."""
    raise HTTPException(404, f"there is nothing at {API}/{path}")
