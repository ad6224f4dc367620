"""`ecommerce worker`: one stream worker."""

from typing import Annotated

import typer

from deploy.errors import CommandError
from streams.kernel.slot import SlotTakenError
from streams.worker import run
from topics.schema_topic import other_releases
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
    try:
        with other_releases(settings()):
            run(settings(), index)
    except SlotTakenError as error:
        raise CommandError(str(error)) from error
