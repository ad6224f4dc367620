"""`ecommerce new`: the skeleton of a domain or a view, with tests that run."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import CommandError
from deploy.new.skeleton import ROOT, write_domain
from deploy.new.views import write_view
from deploy.output import JsonOption, console, print_json

app = typer.Typer(no_args_is_help=True, help="Write the skeleton of a domain or a view, with tests that run.")

_NEXT = ("ecommerce docs generate", "make check")


@app.command()
def domain(
    name: Annotated[str, typer.Argument(help="The domain's name: one word, a to z, as in `wishlist`.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Write a domain: messages, topics, table, flow, view with its migration, route, page, check and tests.

    docs/adding-a-domain.md says what to do with it. It is for a checkout of the repository, with the
    packages of the extra `dev`.
    """
    _in_repository()
    _tell(write_domain(name), ("ecommerce schemas update", *_NEXT), as_json=as_json)


@app.command()
def view(
    topic: Annotated[str, typer.Argument(help="The event, as in `inventory.low_stock`.")],
    name: Annotated[str, typer.Argument(help="The table's name, as in `low_stock`.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Write a view of an event: the row, its projector, what binds them, the migration and tests.

    docs/adding-a-view.md says what to do with it. It is for a checkout of the repository, with the packages
    of the extra `dev`.
    """
    _in_repository()
    _tell(write_view(topic, name), _NEXT, as_json=as_json)


def _in_repository() -> None:
    if not (ROOT / "pyproject.toml").exists():
        raise CommandError("there is no repository here to write into: an installed package has none")


def _tell(written: Sequence[Path], following: Sequence[str], *, as_json: bool) -> None:
    _tidy([str(path) for path in written if path.suffix == ".py"])
    if as_json:
        print_json({"written": [str(path) for path in written], "next": list(following)})
        return
    for path in written:
        console().print(f"[green]written[/green] {path}", soft_wrap=True)
    console().print(f"next: {', then '.join(following)}", soft_wrap=True)


def _tidy(paths: list[str]) -> None:
    """Bring imports and lines into the order that `make check` wants: it depends on the name."""
    for work in (("check", "--quiet", "--fix", "--select", "I,F401"), ("format", "--quiet")):
        try:
            subprocess.run([sys.executable, "-m", "ruff", *work, *paths], cwd=ROOT, check=True)  # noqa: S603
        except subprocess.CalledProcessError as error:
            raise CommandError(
                f"ruff ended with {error.returncode}: is the extra `dev` installed?"
            ) from error
