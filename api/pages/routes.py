"""All pages, and their static files, on the application."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.auth import pages as accounts
from api.ops import dead_letter_pages
from api.ops import pages as ops
from api.pages.route import shown
from api.surfaces import SURFACES

STATIC = Path(__file__).parent.parent / "static"


def install(app: FastAPI) -> None:
    """Serve the shop and the ops pages; people are shown problems as pages, programs get documents."""
    app.state.shown = shown
    domains = [router for surface in SURFACES for router in surface.pages]
    for router in (*domains, accounts.router, ops.router, dead_letter_pages.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
