"""Runs the toy flow as a worker: `python -m tests.integration.kernel.toy_worker APP_ID INDEX [sleepy]`.

A sleepy one stops itself (SIGSTOP) once, in the middle of deciding: when it is woken, it has a batch in hand.
"""

import os
import signal
import sys
from dataclasses import replace
from itertools import count

from schemas.cart import CartAdd
from schemas.envelope import Message
from streams.kernel.flow import Decision, Flow
from streams.worker import run
from tests.topology.kernel import toy
from topics.registry import CART_ADD
from topics.settings import Settings

SLEEPS_AT = 10


def sleepy(flow: Flow[toy.Count]) -> Flow[toy.Count]:
    decided = count(1)

    def add(state: toy.Count | None, message: Message[CartAdd]) -> Decision[toy.Count]:
        if next(decided) == SLEEPS_AT:
            os.kill(os.getpid(), signal.SIGSTOP)
        return toy.add(state, message)

    routes = (replace(route, handler=add) if route.topic is CART_ADD else route for route in flow.routes)
    return replace(flow, routes=tuple(routes))


if __name__ == "__main__":
    app_id, index, *nature = sys.argv[1:]
    own = sleepy(toy.FLOW) if nature == ["sleepy"] else toy.FLOW
    run(Settings(), int(index), flows=[own], app_id=app_id)
