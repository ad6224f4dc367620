"""`ecommerce worker`: one stream worker."""

from typing import Annotated

import typer

from streams.worker import run
from topics.settings import PortOffset, settings

_MOST = PortOffset.SINK_METRICS - PortOffset.WORKER_METRICS - 1


def worker(
    index: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=_MOST,
            help="Which worker of this machine it is: its state directory, metrics port and identity. "
            "The lowest free one by default.",
        ),
    ] = None,
) -> None:
    """Run a stream worker: all flows, on the partitions that its group gives it."""
    run(settings(), index)
