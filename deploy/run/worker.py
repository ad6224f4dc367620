"""`ecommerce worker`: one stream worker."""

from typing import Annotated

import typer

from streams.worker import run
from topics.settings import settings


def worker(
    index: Annotated[
        int, typer.Option(min=0, help="Which worker this is; each has its own state directory and port.")
    ] = 0,
) -> None:
    """Run a stream worker: all flows, on the partitions that its group gives it."""
    run(settings(), index)
