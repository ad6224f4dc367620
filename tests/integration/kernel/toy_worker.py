"""Runs the toy flow as a worker: `python -m tests.integration.kernel.toy_worker APP_ID INDEX [NATURE]`.

A *sleepy* one stops itself (SIGSTOP) once, amid deciding: when it is woken, it has a batch in hand.
A *late* one ends its rebalances only when it has read a record: one that came before the flow goes on. A
*blocked* one never comes back from a decision. Of a *cancelled* one the second rebalance is called off, as
aiokafka does it: the cancellation ends Faust's recovery task, and nothing else. An *old* one knows no ids of
topics: it keeps positions and commits offsets as releases before them did.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import count

from deploy.run.stream_worker import run
from schemas.cart import CartAdd
from schemas.envelope import Message
from streams.kernel import faust_mends
from streams.kernel.faust_app import StreamsApp
from streams.kernel.faust_mends import AppliedOffsetsConsumer, OwningRecovery
from streams.kernel.flow import Decision, Flow
from streams.kernel.sources import Sources
from tests.eventually import eventually_seen
from tests.topology.kernel import toy
from topics.registry import CART_ADD
from topics.settings import Settings

STOPS_AT = 10
POISON = 666
"""So many pieces stop a *stoppable* one, whenever it meets them."""


def sleep() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def block() -> None:
    time.sleep(3600)


def stopping(flow: Flow[toy.Count], stop: Callable[[], None]) -> Flow[toy.Count]:
    decided = count(1)

    def add(state: toy.Count | None, message: Message[CartAdd]) -> Decision[toy.Count]:
        if next(decided) == STOPS_AT:
            stop()
        return toy.add(state, message)

    routes = (replace(route, handler=add) if route.topic is CART_ADD else route for route in flow.routes)
    return replace(flow, routes=tuple(routes))


def stopped_by(pieces: int) -> Flow[toy.Count]:
    """A flow that an add of so many pieces stops, each time it comes."""

    def add(state: toy.Count | None, message: Message[CartAdd]) -> Decision[toy.Count]:
        if message.data.lines[0].quantity == pieces:
            block()
        return toy.add(state, message)

    routes = (replace(route, handler=add) if route.topic is CART_ADD else route for route in toy.FLOW.routes)
    return replace(toy.FLOW, routes=tuple(routes))


def cancel_second_recovery() -> None:
    recoveries = count(1)
    complete = OwningRecovery.on_recovery_completed

    async def cancelled(self: OwningRecovery, generation_id: int = 0) -> None:
        if next(recoveries) == 2:
            self.app.consumer.stop_flow()
            raise asyncio.CancelledError
        await complete(self, generation_id)

    OwningRecovery.on_recovery_completed = cancelled  # type: ignore[method-assign] # what aiokafka's error does


def end_rebalances_late() -> None:
    # Longer than a rebalance: the fetch that is under way when it begins is there when a record comes.
    faust_mends.FETCH_TIMEOUT_S = 60.0
    recoveries = count(1)
    complete = OwningRecovery.on_recovery_completed
    seek = AppliedOffsetsConsumer.perform_seek
    late = asyncio.Event()

    async def completed(self: OwningRecovery, generation_id: int = 0) -> None:
        if next(recoveries) > 1:
            late.set()
        await complete(self, generation_id)

    async def sought(self: AppliedOffsetsConsumer) -> None:
        if late.is_set():
            await eventually_seen(self.read, lambda read: any(read.values()))
        await seek(self)

    OwningRecovery.on_recovery_completed = completed  # type: ignore[method-assign] # as slow brokers do
    AppliedOffsetsConsumer.perform_seek = sought  # type: ignore[method-assign,assignment]


def know_no_ids() -> None:
    async def unseen(_: StreamsApp) -> Sources:
        return Sources()

    async def undoubted(_: StreamsApp, __: Collection[str]) -> Collection[str]:
        return frozenset()

    StreamsApp._see_sources = unseen  # type: ignore[method-assign,assignment] # an older release's way
    StreamsApp.other_sources = undoubted  # type: ignore[method-assign,assignment] # the same
    StreamsApp._amiss = lambda _, now: []  # type: ignore[method-assign,assignment] # noqa: ARG005 - the same


if __name__ == "__main__":
    app_id, index, *nature = sys.argv[1:]
    own = toy.FLOW
    match nature:
        case ["sleepy"]:
            own = stopping(own, sleep)
        case ["blocked"]:
            own = stopping(own, block)
        case ["stoppable"]:
            own = stopped_by(POISON)
        case ["late"]:
            end_rebalances_late()
        case ["cancelled"]:
            cancel_second_recovery()
        case ["old"]:
            know_no_ids()
    run(Settings(), int(index), flows=[own], app_id=app_id)
