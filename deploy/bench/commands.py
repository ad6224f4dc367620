"""`ecommerce bench STEP`: runs the benchmarks of the checkout in a process of their own."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import CommandError

# The benchmarks stand with the tests, which are no part of an installed platform: nothing imports them.
_CHECKOUT = Path(__file__).parents[2]


def bench(
    step: Annotated[
        str,
        typer.Argument(
            help="stock, cart, checkout, api, search, sinks, replay, recovery, memory, scale, "
            "overload; all by default."
        ),
    ] = "all",
    *,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object per step.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Append to docs/benchmarks/.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds per case.")] = 3,
    size: Annotated[float, typer.Option(min=0.001, help="Multiplies every load.")] = 1.0,
    case: Annotated[list[str] | None, typer.Option(help="Only these cases.")] = None,
) -> None:
    """Measure the platform and its baselines, alternately, in one run, on servers of its own."""
    if not (_CHECKOUT / "tests" / "bench").is_dir():
        raise CommandError("the benchmarks are in the source checkout, and this is an installed package")
    command = [sys.executable, "-m", "tests.bench", step, f"--rounds={rounds}", f"--size={size}"]
    command += ["--json"] if json else []
    command += ["--record"] if record else []
    command += [f"--case={name}" for name in case or ()]
    raise typer.Exit(subprocess.run(command, cwd=_CHECKOUT, check=False).returncode)  # noqa: S603 - our own
