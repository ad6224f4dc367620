"""The application: routes, errors and middleware around the services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from api import openapi, problems, schema_registry
from api.admission.middleware import AdmitCommands, AdmitStreams, CommandRoutes
from api.auth import routes as auth
from api.auth.cookies import Cookies
from api.auth.streams import StreamsOfSessions
from api.bodies import BodyLimit
from api.client_address import trust_proxies
from api.forms import ReadableForms
from api.health import routes as health
from api.middleware import JsonOnly, RequestContext
from api.ops import routes as ops
from api.ops.desk import Desk
from api.pages import routes as pages
from api.paths import Paths
from api.request_line import RequestLine
from api.same_origin import SameOriginOnly
from api.services import Services
from api.settings import ApiSettings
from api.short_way import ShortWay
from api.surface import V1
from api.surfaces import SURFACES
from api.wiring import open_services
from topics.settings import Settings

_CLIENT_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
    "X-Cart-Id",
    "X-Correlation-Id",
)


def create_app(
    settings: Settings,
    limits: ApiSettings | None = None,
    services: Services | None = None,
    desk: Desk | None = None,
) -> FastAPI:
    """Return the application; it connects when it starts, unless its services are given."""
    limits = limits or ApiSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if services is not None:
            yield
            return
        async with open_services(settings, limits) as opened:
            app.state.services = opened
            yield

    app = FastAPIOffline(
        static_url="/docs/static",
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=f"{V1}/openapi.json",
    )
    app.state.limits = limits
    app.state.desk = desk
    app.state.cookies = Cookies.chosen(settings, limits)
    if services is not None:
        app.state.services = services
    problems.install(app)
    routers = [router for surface in SURFACES for router in surface.routers]
    for router in (auth.router, *routers, ops.router, health.services_router):
        app.include_router(router, prefix=V1)
    for router in (auth.well_known, health.router, schema_registry.router):
        app.include_router(router)
    pages.install(app)
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign] # FastAPI's documented way
    app.add_middleware(
        ShortWay,
        commands=[each for surface in SURFACES for each in surface.short_commands],
        readings=[each for surface in SURFACES for each in surface.short_readings],
    )
    app.add_middleware(StreamsOfSessions)
    app.add_middleware(JsonOnly)
    app.add_middleware(ReadableForms)
    app.add_middleware(AdmitStreams)
    app.add_middleware(AdmitCommands, routes=CommandRoutes(V1, routers))
    app.add_middleware(BodyLimit, limit=limits.max_body_bytes)
    app.add_middleware(SameOriginOnly, allowed=limits.cors_origins)
    app.add_middleware(RequestLine, paths=Paths(app))
    if limits.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(limits.cors_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=list(_CLIENT_HEADERS),
            expose_headers=["Location", "Preference-Applied", "X-Cart-Id", "X-Correlation-Id"],
        )
    app.add_middleware(RequestContext)
    trust_proxies(app, limits.trusted_proxies)
    return app
