"""`ecommerce chaos`: kills and stops servers and processes under load, then verifies from outside."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import CommandError

# The faults stand with the tests, which are no part of an installed platform: nothing imports them.
_CHECKOUT = Path(__file__).parents[2]


def chaos(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long faults are injected.")] = 5.0,
    seed: Annotated[
        int | None, typer.Option(help="Order of the faults and the load; random by default.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="New shoppers a second.")] = 4.0,
    elasticsearch: Annotated[
        bool, typer.Option("--elasticsearch", help="Run with a test peer of Elasticsearch, and kill it too.")
    ] = False,
    patience: Annotated[
        float, typer.Option(min=0.1, help="Multiplies the stated times, on a slow or shared machine.")
    ] = 1.0,
    only: Annotated[
        list[str] | None, typer.Option(help="Only these kinds of faults; may be repeated.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Inject faults into a platform of its own under load; exit 1 where anything was lost or doubled."""
    if not (_CHECKOUT / "tests" / "chaos").is_dir():
        raise CommandError("the faults are in the source checkout, and this is an installed package")
    command = [sys.executable, "-m", "tests.chaos", f"--minutes={minutes}", f"--rate={rate}"]
    command.append(f"--patience={patience}")
    command += [f"--seed={seed}"] if seed is not None else []
    command += ["--elasticsearch"] if elasticsearch else []
    command += ["--json"] if json else []
    command += [f"--only={name}" for name in only or ()]
    raise typer.Exit(subprocess.run(command, cwd=_CHECKOUT, check=False).returncode)  # noqa: S603 - our own
