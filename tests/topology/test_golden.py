"""Slices of the real shop's December, replayed: every output and every final state must be what it was."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.records.recording import read_recording
from deploy.replay.difference import Difference, differences, report
from deploy.replay.outcome import outcome, read_golden
from deploy.replay.pytest_plugin import PARTITIONS, Golden
from schemas.cart import CartAdd, CartUpdated
from schemas.envelope import Message
from streams.flows import FLOWS
from streams.kernel.flow import Decision, Flow
from topics.registry import CART_ADD, CART_UPDATED
from topics.topic import Topic

DATA = Path(__file__).parents[1] / "data"
SLICES = sorted(DATA.glob("*.avro"))
Handler = Callable[[Any, Message[Any]], Decision[Any]]


@pytest.mark.parametrize("recording", SLICES, ids=lambda path: path.stem)
async def test_the_flows_do_what_they_did(recording: Path, golden: Golden) -> None:
    await golden(recording)


def test_the_slices_stay_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 300_000


def with_handler(topic: Topic[Any], change: Callable[[Handler], Handler]) -> tuple[Flow[Any], ...]:
    """The platform's flows, one route's handler exchanged."""
    return tuple(
        replace(
            flow,
            routes=tuple(
                replace(route, handler=change(route.handler)) if route.topic is topic else route
                for route in flow.routes
            ),
        )
        for flow in FLOWS
    )


async def changes(flows: tuple[Flow[Any], ...]) -> tuple[list[Difference], int]:
    stored = read_golden(DATA / "purchases.golden.jsonl.xz")
    now = await outcome(list(read_recording(DATA / "purchases.avro")), flows, PARTITIONS)
    return differences(stored, now), len(stored)


async def test_a_changed_handler_shows_exactly_which_outputs_change() -> None:
    """Of what `cart.add` says, no flow reads the time of the change: nothing follows from it."""

    def noted(handler: Handler) -> Handler:
        def add(state: Any, message: Message[CartAdd]) -> Decision[Any]:
            made = handler(state, message)
            outputs = tuple(
                replace(out, data=msgspec.structs.replace(out.data, updated_at=1))
                if isinstance(out.data, CartUpdated)
                else out
                for out in made.outputs
            )
            return replace(made, outputs=outputs)

        return add

    found, total = await changes(with_handler(CART_ADD, noted))
    recorded = [record for record in read_recording(DATA / "purchases.avro") if record.topic == CART_ADD.name]
    assert {(one.verdict, one.place) for one in found} == {("changed", CART_UPDATED.name)}
    assert sorted(one.key or "" for one in found) == sorted(record.key_text or "" for record in recorded)
    assert all(set(one.fields) == {"data.updated_at"} for one in found)
    assert " -> 1" in report(found, total)


async def test_what_follows_from_a_changed_handler_is_shown_too() -> None:
    """A cart that loses its lines cannot be bought: everything behind the checkout goes missing."""

    def emptied(handler: Handler) -> Handler:
        def add(state: Any, message: Message[CartAdd]) -> Decision[Any]:
            data = msgspec.structs.replace(message.data, lines=message.data.lines[:0])
            return handler(state, msgspec.structs.replace(message, data=data))

        return add

    found, _ = await changes(with_handler(CART_ADD, emptied))
    verdicts = {(one.verdict, one.place) for one in found}
    assert ("missing", "ecommerce.order.confirmed") in verdicts
    assert ("changed", "table stock") in verdicts
    assert not {place for _, place in verdicts if place.startswith("ecommerce.product.")}
