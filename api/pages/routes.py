"""All pages, and their static files, on the application."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.pages import accounts, carts, catalogue, checkout, dead_letters, ops, orders
from api.pages.route import shown

STATIC = Path(__file__).parent.parent / "static"


def install(app: FastAPI) -> None:
    """Serve the shop and the ops pages; people are shown problems as pages, programs get documents."""
    app.state.shown = shown
    for room in (catalogue, carts, checkout, orders, accounts, ops, dead_letters):
        app.include_router(room.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
