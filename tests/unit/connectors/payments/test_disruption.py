"""Outages as the HTTP server sees them: hanging until they end, or dropping the connection."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from connectors.payments.simulator.disruption import ABORT, CurrentModes, Disruption
from connectors.payments.simulator.models import Modes, Outage


class Connection:
    """A client that stays until it is dropped."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.served = False
        extensions = {ABORT: {"abort": self.gone.set}}
        self.scope: dict[str, Any] = {"type": "http", "method": "POST", "extensions": extensions}
        self._body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        self.served = True

    async def receive(self) -> Message:
        if self._body:
            return self._body.pop()
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        raise AssertionError(f"nothing is answered, not {message}")

    async def ask(self, modes: CurrentModes) -> None:
        await Disruption(self.app, modes)(self.scope, self.receive, self.send)


def modes_of(outage: Outage) -> CurrentModes:
    modes = CurrentModes()
    modes.change(Modes(outage=outage))
    return modes


async def test_a_refused_request_loses_its_connection() -> None:
    connection = Connection()
    async with asyncio.timeout(5):
        await connection.ask(modes_of(Outage.REFUSE))
    assert connection.gone.is_set()
    assert not connection.served


@pytest.mark.parametrize("client_leaves", [True, False])
async def test_a_hanging_request_ends_with_the_outage_or_the_client(
    client_leaves: bool,  # noqa: FBT001 - a parameter of the table above
) -> None:
    connection, modes = Connection(), modes_of(Outage.HANG)
    asked = asyncio.create_task(connection.ask(modes))
    await asyncio.sleep(0)
    assert not asked.done()
    if client_leaves:
        connection.gone.set()
    else:
        modes.change(Modes())
    async with asyncio.timeout(5):
        await asked
    assert connection.gone.is_set()
    assert not connection.served


async def test_a_server_that_cannot_drop_connections_says_so() -> None:
    connection = Connection()
    del connection.scope["extensions"]
    with pytest.raises(ConnectionAbortedError):
        await connection.ask(modes_of(Outage.REFUSE))


async def test_without_an_outage_requests_pass() -> None:
    connection = Connection()
    await connection.ask(modes_of(Outage.NONE))
    assert connection.served
