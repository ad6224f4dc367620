"""The stream worker: builds the Faust app of all flows and runs it until it is told to stop."""

import asyncio
import logging
import os
import socket
import threading
import traceback
from collections.abc import Sequence
from typing import Any

import faust
import structlog
import uvloop
from prometheus_client import CollectorRegistry, start_http_server

from connectors.health.responder import PingResponder
from connectors.runtime.collector import collect_seldom
from streams.flows import GROUP, WORKER_FLOWS
from streams.kernel.faust_app import StreamsApp
from streams.kernel.flow import Flow
from streams.kernel.meters import Meters
from streams.kernel.settings import WorkerSettings
from streams.kernel.slot import claim
from streams.kernel.source_ends import SourceEnds
from streams.kernel.watchdog import Watchdog
from streams.spans import check as check_spans
from topics.header_names import read_any_header_name
from topics.identity import TopicMadeAnewError
from topics.settings import PortOffset, Settings

log = structlog.get_logger(__name__)

STOP_DEADLINE_S = 20.0
EX_SOFTWARE = 70
STACK_CHARACTERS = 4_000


class WorkerApp(StreamsApp):
    """The app as a process: it answers pings, and is ended where it stands still or does not stop in time."""

    _responder: PingResponder | None = None

    def __init__(
        self, flows: Sequence[Flow[Any]], settings: Settings, *, meters: Meters, **kernel: Any
    ) -> None:
        own = WorkerSettings()
        super().__init__(flows, settings, meters=meters, standbys=own.standbys, **kernel)
        self._own = own
        self._watchdog = Watchdog(
            self._own.standstill_seconds,
            see=self.look,
            ends=SourceEnds(settings, flows),
            tell=meters.standstill,
        )

    async def on_start(self) -> None:
        """Start, watched, and answer pings from then on."""
        self.add_future(self._watchdog.run())
        await super().on_start()
        self._responder = PingResponder(self.settings, "worker", self.instance, details=self._details)
        await self._responder.start()

    def _details(self) -> dict[str, str]:
        return {
            "partitions": str(self.ownership.owned),
            "standbys": str(self.standby.followed),
            "backlog": str(self.ownership.backlog),
            "flows": ",".join(flow.name for flow in self.flows),
        }

    async def on_stop(self) -> None:
        """Stop, with a deadline: everything durable is safe, so a kill loses nothing.

        A worker that was told to stop leaves its group; one that has failed is started again, in its place,
        unless that place is what failed: partitions of topics that are gone.
        """
        self._watchdog.stop()
        misplaced = isinstance(self.crash_reason, TopicMadeAnewError)
        self.leaves = misplaced or (self._own.leaves_group and not self.crashed)
        deadline = threading.Timer(STOP_DEADLINE_S, os._exit, (EX_SOFTWARE,))
        deadline.daemon = True
        deadline.start()
        if self._responder is not None:
            await self._responder.stop()
        await super().on_stop()


def run(
    settings: Settings,
    index: int | None = None,
    *,
    flows: Sequence[Flow[Any]] = WORKER_FLOWS,
    app_id: str = GROUP,
) -> None:
    """Run a worker until SIGTERM or SIGINT.

    Raises SlotTakenError where the index is in use, SettingsConflictError where settings of several domains
    do not go together.

    `index` counts the workers of this machine (the lowest free one by default); it decides the data
    directory, the metrics port and the identity in the consumer group, so that a restarted worker gets its
    own partitions back at once.
    """
    check_spans()
    slot = claim(settings.data_dir, index)
    quiet_libraries()
    registry = CollectorRegistry()
    start_http_server(
        settings.port(PortOffset.WORKER_METRICS, slot.index), addr=settings.host, registry=registry
    )
    collect_seldom()
    read_any_header_name()
    # By policy, so that the consumer's thread gets a fast loop, too.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = WorkerApp(
        flows,
        settings,
        app_id=app_id,
        instance=f"{socket.gethostname()}-{slot.index}",
        data_dir=slot.directory / "faust",
        meters=Meters(registry),
    )
    log.info("worker starts", index=slot.index, flows=[flow.name for flow in flows])
    worker = faust.Worker(
        app,
        loop=loop,
        override_logging=False,
        quiet=True,
    )
    worker.spinner = None
    try:
        worker.execute_from_commandline()
    finally:
        if app.crash_reason is not None:
            stack = "".join(traceback.format_exception(app.crash_reason))
            log.error("worker crashed", error=repr(app.crash_reason), stack=stack[-STACK_CHARACTERS:])
        slot.release()


def quiet_libraries() -> None:
    """Keep Faust's and aiokafka's chatter out: it costs more than the work."""
    for name in ("faust", "aiokafka", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
