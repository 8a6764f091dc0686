"""The facade as an application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.types import ASGIApp

from api import problems
from api.cart import again_routes as cart_again_routes
from api.cart import order_routes as cart_order_routes
from api.cart import routes as cart_routes
from api.catalogue import object_routes, product_routes, stac_routes
from api.catalogue import routes as catalogue_routes
from api.catalogue.stac_documents import OPENAPI
from api.contract.document import document
from api.deliveries import routes as delivery_routes
from api.dependencies import Services
from api.downloads import archive_routes, file_routes, folder_routes, link_routes, metalink_routes
from api.downloads.file_names import DownloadNameMiddleware
from api.events import routes as event_routes
from api.http.bodies import StrictJsonMiddleware
from api.http.cors import CorsMiddleware
from api.http.framing import FramingMiddleware
from api.http.limiting import RateLimitHeaders
from api.http.methods import MethodNotAllowedMiddleware
from api.http.parameters import reject_unknown_query_parameters
from api.http.paths import PathMiddleware
from api.http.policy import PolicyMiddleware
from api.http.request_log import DrainingMiddleware, RequestLogMiddleware
from api.http.turns import TurnsMiddleware
from api.identity import resource_routes, token_routes, user_routes
from api.identity import routes as identity_routes
from api.identity.authenticate import asker_of, identify, room_for_large_body
from api.identity.details import DetailsMiddleware
from api.operations import docs_routes, health_routes
from api.operations import routes as operation_routes
from api.orders import (
    bulk_routes,
    command_routes,
    estimate_routes,
    export_routes,
    invoice_routes,
    note_routes,
    payment_routes,
    result_routes,
    view_routes,
)
from api.orders import routes as order_routes
from api.prices import routes as price_routes
from api.settings import routes as settings_routes
from models.links import API

Lifespan = Callable[[], AbstractAsyncContextManager[Services]]


class _Facade(FastAPI):
    """FastAPI with middleware round everything, its own answer to internal errors included."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made when it is first asked for."""
        if self.openapi_schema is None:
            self.openapi_schema = document(self, super().openapi())
        return self.openapi_schema

    def setup(self) -> None:
        """Serve the OpenAPI document as the media type that `service-desc` promises, not as any JSON."""

        async def described(request: Request) -> Response:
            # As FastAPI says it: behind a proxy that cuts a prefix off, paths are below that.
            root = request.scope.get("root_path", "").rstrip("/")
            made = self.openapi()
            shown = made | ({"servers": [{**made["servers"][0], "url": root}]} if root else {})
            return Response(orjson.dumps(shown), media_type=OPENAPI)

        # The first route of a path is the one that serves it.
        self.add_route(self.openapi_url or "", described, include_in_schema=False)
        super().setup()

    def build_middleware_stack(self) -> ASGIApp:
        inner = RateLimitHeaders(
            DetailsMiddleware(StrictJsonMiddleware(super().build_middleware_stack(), identify, room_for_large_body))
        )
        asking = TurnsMiddleware(MethodNotAllowedMiddleware(inner, self), asker_of)
        refusing = CorsMiddleware(DrainingMiddleware(asking))
        answering = PolicyMiddleware(RequestLogMiddleware(FramingMiddleware(refusing)))
        return PathMiddleware(DownloadNameMiddleware(answering), self)


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
        contact={"name": "The operator of this server"},
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        # The middleware takes a slash at the end; a redirect would not know where this server is found from outside.
        redirect_slashes=False,
        # Pages of FastAPI's own run scripts of other hosts, in the origin of our cookie.
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    app.include_router(health_routes.router)
    app.include_router(docs_routes.router)
    app.include_router(resource_routes.router)
    api = APIRouter(prefix=API)
    for router in (
        # Notes and links stand before commands, whose names would be any word.
        *(bulk_routes.router, export_routes.router, order_routes.router, note_routes.router, link_routes.router),
        *(invoice_routes.router, cart_again_routes.router, command_routes.router),
        *(cart_routes.router, cart_order_routes.router),
        *(catalogue_routes.router, object_routes.router, product_routes.router),
        *(result_routes.router, token_routes.router, user_routes.router, view_routes.router),
        *(archive_routes.router, file_routes.router, metalink_routes.router, folder_routes.router),
        price_routes.router,
        *(delivery_routes.router, event_routes.router, operation_routes.stats_router, estimate_routes.router),
        settings_routes.router,
    ):
        api.include_router(router, dependencies=[Depends(reject_unknown_query_parameters)])
    # These state themselves who may call them.
    for module in (payment_routes, identity_routes):
        api.include_router(module.router)
    api.add_api_route("/{path:path}", problems.nothing_here, include_in_schema=False, methods=["GET"])
    app.include_router(api)
    app.include_router(stac_routes.router)
    return app
