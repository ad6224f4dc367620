"""What commands print: tables for people, one JSON object on the last line for programs."""

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

_PIPE_WIDTH = 240

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on the last line of stdout instead.")
]


def console() -> Console:
    """Return the console for figures (stdout); into a file or a pipe, lines are as wide as they need."""
    return Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)


def notes() -> Console:
    """Return the console for what is said beside the figures: progress, warnings (stderr)."""
    return Console(stderr=True)


def print_json(figures: Any) -> None:
    """Print the figures as one line of JSON."""
    typer.echo(msgspec.json.encode(figures).decode())
