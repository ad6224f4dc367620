"""A recorded topic file, replayed: the flows must do again what they did on the real platform."""

from pathlib import Path

import msgspec
import pytest

from deploy.records.record import Record
from deploy.records.recording import read_recording
from deploy.replay.memory import emitted, inputs
from schemas.codec import decode_fields
from streams.flows import FLOWS
from topics import registry as t
from topics.topic import Topic
from topics.wire import decode

RECORDING = Path(__file__).parents[1] / "data" / "purchases.avro"


@pytest.fixture
def recorded() -> list[Record]:
    return list(read_recording(RECORDING))


@pytest.fixture
async def again(recorded: list[Record]) -> list[Record]:
    found: list[Record] = []
    await emitted(FLOWS, inputs(recorded, FLOWS), 4, found.append)
    return found


def identities(records: list[Record]) -> set[tuple[str, str]]:
    return {(record.topic, decode_fields(record.value or b"")["event_id"]) for record in records}


def newest(records: list[Record], topic: Topic[msgspec.Struct]) -> dict[str, object]:
    """The data by key, but for the time of the change: the virtual clock only follows the inputs'.

    What the recording is too old to have, reads as today's default.
    """
    return {
        record.key_text or "": msgspec.to_builtins(decode(topic, record.value or b"").data)
        | {"updated_at": None}
        for record in records
        if record.topic == topic.name
    }


def test_only_what_came_from_outside_is_fed(recorded: list[Record]) -> None:
    assert {record.topic for record in inputs(recorded, FLOWS)} == {
        t.PRODUCT_CREATE.name,
        t.INVENTORY_RECEIVE.name,
        t.CART_ADD.name,
        t.CHECKOUT_REQUESTED.name,
        t.ORDER_RETURN.name,
        t.PAYMENT_OUTCOME.name,
    }


async def test_the_flows_emit_the_very_same_messages(recorded: list[Record], again: list[Record]) -> None:
    fed = identities(list(inputs(recorded, FLOWS)))
    assert identities(again) == identities(recorded) - fed


@pytest.mark.parametrize("topic", [t.ORDER_CONFIRMED, t.ORDER_REFUNDED, t.PAYMENT_CAPTURED])
async def test_the_orders_end_as_they_ended(
    recorded: list[Record], again: list[Record], topic: Topic[msgspec.Struct]
) -> None:
    assert newest(again, topic) == newest(recorded, topic) != {}
