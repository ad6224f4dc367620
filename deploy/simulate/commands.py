"""`ecommerce simulate`: runs the simulation of the checkout in a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import CommandError

# The simulation stands with the tests, which are no part of an installed platform: nothing imports them.
_CHECKOUT = Path(__file__).parents[2]


def simulate(
    *,
    seed: Annotated[int | None, typer.Option(help="Run this seed alone, or begin with it.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps to run; 100,000 by default.")] = None,
    hours: Annotated[float | None, typer.Option(min=0.0, help="Hours to run.")] = None,
    mutations: Annotated[bool, typer.Option("--mutations", help="Hunt the planted bugs.")] = False,
    exhaustive: Annotated[bool, typer.Option("--exhaustive", help="Explore the small world.")] = False,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Simulate the whole dataflow under schedules of trouble, and check what must hold.

    A seed that fails is shrunk to a short story and exits with 1.
    """
    if not (_CHECKOUT / "tests" / "simulation").is_dir():
        raise CommandError("the simulation is in the source checkout, and this is an installed package")
    command = [sys.executable, "-m", "tests.simulation"]
    command += [f"--seed={seed}"] if seed is not None else []
    command += [f"--steps={steps}"] if steps is not None else []
    command += [f"--hours={hours}"] if hours is not None else []
    command += [
        f"--{name}"
        for name, wanted in (("mutations", mutations), ("exhaustive", exhaustive), ("json", json))
        if wanted
    ]
    raise typer.Exit(subprocess.run(command, cwd=_CHECKOUT, check=False).returncode)  # noqa: S603 - our own
