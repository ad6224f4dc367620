"""What commands print: tables for people, one JSON object on the last line for programs."""

import sys
from typing import IO, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

_PIPE_WIDTH = 240

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on the last line of stdout instead.")
]


def console(file: IO[str] | None = None) -> Console:
    """Return the console for figures (stdout by default); into a file or a pipe, lines are not cut at 80."""
    target = file or sys.stdout
    return Console(file=target) if target.isatty() else Console(file=target, width=_PIPE_WIDTH)


def notes() -> Console:
    """Return the console for what is said beside the figures: progress, warnings (stderr)."""
    return Console(stderr=True)


def shown(text: str, style: str = "") -> Text:
    """Return text of others as a terminal may have it: no markup is read, control characters are escaped."""
    safe = "".join(each if each == "\n" or each.isprintable() else ascii(each)[1:-1] for each in text)
    return Text(safe, style)


def print_json(figures: Any) -> None:
    """Print the figures as one line of JSON."""
    typer.echo(msgspec.json.encode(figures).decode())
