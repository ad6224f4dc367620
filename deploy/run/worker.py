"""`ecommerce worker`: one stream worker."""

from contextlib import suppress
from typing import Annotated

import typer
from confluent_kafka import KafkaException

from deploy.errors import CommandError
from deploy.run.stream_worker import run
from streams.kernel.slot import SlotTakenError
from streams.spans import SettingsConflictError
from topics.admin import PartitionsChangedError, refuse_other_partitions
from topics.login import refuse_wrong_login
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
    refuse_wrong_login(settings())
    try:
        with other_releases(settings()):
            # A broker that is away is waited for by the worker itself.
            with suppress(KafkaException):
                refuse_other_partitions(settings())
            run(settings(), index)
    except (SlotTakenError, PartitionsChangedError, SettingsConflictError) as error:
        raise CommandError(str(error)) from error
