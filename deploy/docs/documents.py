"""The generated documents: where each lies, and what it says now."""

from collections.abc import Callable
from pathlib import Path

from deploy.docs.asyncapi import asyncapi
from deploy.docs.cli_page import cli_page
from deploy.docs.decisions import decisions
from deploy.docs.events import catalogue
from deploy.docs.refusals import refusals_page
from deploy.docs.settings_page import settings_classes, settings_page
from deploy.docs.topology_page import topology_page
from deploy.topology.gather import components

FOLDER = Path(__file__).parents[2] / "docs"

DOCUMENTS: dict[str, Callable[[], str]] = {
    "events.md": lambda: catalogue(components()),
    "topology.md": lambda: topology_page(components()),
    "asyncapi.yaml": lambda: asyncapi(components()),
    "cli.md": cli_page,
    "adr/README.md": decisions,
    "refusals.md": refusals_page,
    "settings.md": lambda: settings_page(settings_classes()),
}


def generate(folder: Path = FOLDER) -> list[str]:
    """Write every document that is not as it should be; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = stale(folder)
    for name, text in changed.items():
        (folder / name).write_text(text)
    return sorted(changed)


def stale(folder: Path = FOLDER) -> dict[str, str]:
    """Return the documents that differ from what the code declares, with the text they should have."""
    texts = {name: text() for name, text in DOCUMENTS.items()}
    return {name: text for name, text in texts.items() if _read(folder / name) != text}


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
