"""`ecommerce topology`: the dataflow's picture."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from deploy.errors import CommandError
from deploy.output import print_json
from deploy.topology.gather import components
from deploy.topology.mermaid import around, overview


class Format(StrEnum):
    """How the topology is printed."""

    MERMAID = "mermaid"
    JSON = "json"


def topology(
    name: Annotated[str | None, typer.Argument(help="One component; all of them by default.")] = None,
    form: Annotated[Format, typer.Option("--format", help="A Mermaid picture, or JSON.")] = Format.MERMAID,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Print the dataflow as it is declared: who reads and writes which topics."""
    everything = components()
    chosen = [one for one in everything if name is None or one.name == name]
    if not chosen:
        raise CommandError(f"{name}: is none of {', '.join(one.name for one in everything)}", 2)
    if as_json or form is Format.JSON:
        print_json({"components": [asdict(one) for one in chosen]})
    else:
        typer.echo(overview(everything) if name is None else around(chosen[0], everything), nl=False)
