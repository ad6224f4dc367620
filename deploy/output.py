"""What commands print: tables for people, one JSON object on the last line for programs."""

import sys
from collections.abc import Iterator
from typing import IO, Annotated, Any

import msgspec
import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from deploy import foreign

_PIPE_WIDTH = 240

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on the last line of stdout instead.")
]


class Terminal(Console):
    """A console on which no text acts: what others wrote may be in whatever is printed."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Yield the segments, with control characters written out; the console's own pass."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(foreign.shown(segment.text), segment.style)


def console(file: IO[str] | None = None) -> Console:
    """Return the console for figures (stdout by default); into a file or a pipe, lines are not cut at 80."""
    target = file or sys.stdout
    return Terminal(file=target) if target.isatty() else Terminal(file=target, width=_PIPE_WIDTH)


def notes() -> Console:
    """Return the console for what is said beside the figures: progress, warnings (stderr)."""
    return Terminal(stderr=True)


def shown(text: str, style: str = "") -> Text:
    """Return text of others as a terminal may have it: no markup is read, control characters are escaped."""
    return Text(foreign.shown(text), style)


def print_json(figures: Any) -> None:
    """Print the figures as one line of JSON."""
    typer.echo(foreign.shown_in_json(msgspec.json.encode(figures).decode()))
