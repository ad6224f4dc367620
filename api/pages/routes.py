"""All pages, and their static files, on the application."""

from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from api.pages import accounts, carts, catalogue, checkout, dead_letters, ops, orders
from api.pages.route import NOT_FOUND, shown
from api.problems import not_found, on_http

STATIC = Path(__file__).parent.parent / "static"


async def _nowhere(request: Request, error: Exception) -> Response:
    """Show a person who follows a wrong link the way back; programs get a problem document."""
    if "text/html" in request.headers.get("Accept", "") and not request.url.path.startswith("/api/"):
        return shown(request, not_found("this page"))
    return await on_http(request, error)


def install(app: FastAPI) -> None:
    """Serve the shop and the ops pages."""
    app.add_exception_handler(NOT_FOUND, _nowhere)
    for room in (catalogue, carts, checkout, orders, accounts, ops, dead_letters):
        app.include_router(room.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
