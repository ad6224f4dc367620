"""The gateway between a real broker and a real HTTP provider: answers, outages, slowness, sudden death."""

from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import murmur2

from schemas.payment import PaymentInstruction, PaymentOperation, ProviderOutcome
from tests.integration.payments.processes import Desk, Provider, Running
from tests.odd_records import ODD, Odd, produced
from topics.command import command
from topics.connection import aiokafka_options
from topics.dead_letter import ERROR, REASON, SOURCE_TOPIC
from topics.registry import PAYMENT_INSTRUCT
from topics.settings import Settings
from topics.wire import encode

APPROVED, DECLINED, UNAVAILABLE = (
    ProviderOutcome.APPROVED,
    ProviderOutcome.DECLINED,
    ProviderOutcome.UNAVAILABLE,
)


def order_ids(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


@pytest.mark.usefixtures("gateway")
async def test_a_payment_goes_its_whole_way(desk: Desk, provider: Provider) -> None:
    (order_id,) = order_ids(1)
    asked = await desk.instruct(order_id)
    authorised = await desk.outcome(order_id)
    assert (authorised.data.outcome, authorised.data.operation) == (APPROVED, PaymentOperation.AUTHORISE)
    assert authorised.data.idempotency_key == asked.data.idempotency_key
    assert (authorised.correlation_id, authorised.causation_id) == (asked.correlation_id, asked.event_id)
    assert (authorised.user_id, authorised.source) == ("user-1", "payment-gateway")
    await desk.instruct(
        order_id, operation=PaymentOperation.CAPTURE, reference=authorised.data.provider_reference
    )
    captured = await desk.outcome(order_id, 2)
    await desk.instruct(
        order_id, operation=PaymentOperation.REFUND, reference=captured.data.provider_reference
    )
    assert (await desk.outcome(order_id, 3)).data.outcome is APPROVED
    assert provider.operations(order_id) == [
        ("authorise", "approved"),
        ("capture", "approved"),
        ("refund", "approved"),
    ]


@pytest.mark.usefixtures("gateway", "provider")
async def test_the_card_decides(desk: Desk) -> None:
    expected = {
        "tok_declined": (DECLINED, "card_declined"),
        "tok_insufficient": (DECLINED, "insufficient_funds"),
        "tok_processing_error": (UNAVAILABLE, "issuer_unavailable"),
        "tok_nobody_knows": (DECLINED, "invalid"),
    }
    orders = dict(zip(expected, order_ids(len(expected)), strict=True))
    for token, order_id in orders.items():
        await desk.instruct(order_id, token)
    answers = {token: (await desk.outcome(order_id)).data for token, order_id in orders.items()}
    assert {token: (answer.outcome, answer.reason) for token, answer in answers.items()} == expected


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("outage", ["errors", "refuse"])
async def test_an_outage_is_said_at_once_and_ends_in_one_charge(
    desk: Desk, provider: Provider, outage: str
) -> None:
    (order_id,) = order_ids(1)
    provider.modes(outage=outage)
    reasons = set()
    for attempt in range(1, 8):
        await desk.instruct(order_id, attempt=attempt)
        answer = (await desk.outcome(order_id, attempt)).data
        assert (answer.outcome, answer.attempt) == (UNAVAILABLE, attempt)
        reasons.add(answer.reason)
    assert reasons == {{"errors": "outage", "refuse": "unreachable"}[outage], "circuit_open"}
    assert provider.operations(order_id) == []
    provider.modes(outage="none")
    attempt = 8
    await desk.instruct(order_id, attempt=attempt)
    while (await desk.outcome(order_id, attempt)).data.outcome is UNAVAILABLE:
        attempt += 1
        await desk.instruct(order_id, attempt=attempt)
    await desk.instruct(order_id, attempt=attempt + 1)
    again = (await desk.outcome(order_id, attempt + 1)).data
    assert again.provider_reference == desk.outcomes[order_id][attempt - 1].data.provider_reference
    assert provider.operations(order_id) == [("authorise", "approved")]


@pytest.mark.usefixtures("gateway")
async def test_one_slow_card_holds_up_nobody_else(desk: Desk, provider: Provider) -> None:
    slow, *others = order_ids(41)
    await desk.instruct(slow, "tok_slow")
    await desk.instruct(slow, operation=PaymentOperation.VOID)
    for order_id in others:
        await desk.instruct(order_id)
    await desk.until(lambda: len(desk.outcomes[slow]) == 2 and all(desk.outcomes[each] for each in others))
    assert set(desk.arrivals[:40]) == set(others)
    # Its own next instruction has waited for it.
    assert provider.operations(slow) == [("authorise", "approved"), ("void", "approved")]


async def test_a_killed_gateway_charges_every_order_exactly_once(
    desk: Desk, provider: Provider, gateway: Running
) -> None:
    orders = order_ids(200)
    provider.modes(latency_ms=150)
    for order_id in orders:
        await desk.instruct(order_id)
    await desk.until(lambda: sum(1 for each in orders if desk.outcomes[each]) >= 40)
    gateway.kill()
    unanswered = [each for each in orders if not desk.outcomes[each]]
    assert unanswered, "the gateway was killed too late"
    gateway.start()
    await desk.until(lambda: all(desk.outcomes[each] for each in orders))
    for order_id in orders:
        assert provider.operations(order_id) == [("authorise", "approved")]
        assert len({(said.event_id, said.data) for said in desk.outcomes[order_id]}) == 1


async def test_a_stopped_gateway_finishes_what_is_under_way(
    desk: Desk, provider: Provider, gateway: Running
) -> None:
    warm, *orders = order_ids(21)
    await desk.instruct(warm)
    await desk.outcome(warm)
    provider.modes(latency_ms=800)
    for order_id in orders:
        await desk.instruct(order_id)
    await desk.until(lambda: any(provider.operations(each) for each in orders))
    assert gateway.stop() == 0
    gateway.start()
    await desk.until(lambda: all(desk.outcomes[each] for each in orders))
    assert all(len(provider.operations(each)) == 1 for each in orders)


@pytest.mark.usefixtures("gateway", "provider")
async def test_an_unreadable_instruction_is_dead_lettered_and_the_stream_goes_on(
    desk: Desk, settings: Settings
) -> None:
    letters = AIOKafkaConsumer(**aiokafka_options(settings), enable_auto_commit=False)
    await letters.start()
    try:
        place = TopicPartition(PAYMENT_INSTRUCT.dead_letters.name, 0)
        letters.assign([place])
        await letters.seek_to_end(place)
        await letters.position(place)
        (order_id,) = order_ids(1)
        await (await desk.producer.send_raw(PAYMENT_INSTRUCT, order_id.encode(), b"not avro"))
        await desk.instruct(order_id)
        assert (await desk.outcome(order_id)).data.outcome is APPROVED
        letter = await letters.getone()
    finally:
        await letters.stop()
    headers = {name: value.decode() for name, value in letter.headers}
    assert (letter.key, letter.value) == (order_id.encode(), b"not avro")
    assert (headers[REASON], headers[SOURCE_TOPIC]) == ("undecodable", PAYMENT_INSTRUCT.name)
    assert headers[ERROR]


async def test_a_restarted_provider_forgets_nothing(desk: Desk, provider: Provider, gateway: Running) -> None:
    (order_id,) = order_ids(1)
    await desk.instruct(order_id)
    reference = (await desk.outcome(order_id)).data.provider_reference
    provider.kill()
    provider.start()
    provider.wait_live()
    attempt = 2
    await desk.instruct(order_id, attempt=attempt)
    while (await desk.outcome(order_id, attempt)).data.outcome is UNAVAILABLE:
        attempt += 1
        await desk.instruct(order_id, attempt=attempt)
    assert desk.outcomes[order_id][-1].data.provider_reference == reference
    assert provider.operations(order_id) == [("authorise", "approved")]
    assert "Traceback" not in gateway.log()


def test_no_card_number_is_kept_or_logged(provider: Provider, tmp_path: Path) -> None:
    number = "4242424242424242"
    card = {"card_number": number, "expiry": "12/40", "cvc": "737"}
    assert provider.client.post("/tokens", json=card).status_code == 201
    for broken in (
        {**card, "expiry": "99/99"},
        {**card, "card_number": number[:-1] + "1"},
        {**card, "cvc": "7x7"},
    ):
        refused = provider.client.post("/tokens", json=broken)
        assert refused.status_code == 422
        assert number[:-1] not in refused.text
    provider.stop()
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert number[:-1].encode() not in file.read_bytes()


@pytest.mark.usefixtures("provider")
async def test_no_odd_instruction_stops_the_gateway(desk: Desk, gateway: Running, settings: Settings) -> None:
    void = PaymentInstruction(PaymentOperation.VOID, "void", 1, "GBP", "", 1, "nothing")
    unasked = msgspec.structs.replace(void, idempotency_key="\N{SNOWMAN}\n")
    huge = msgspec.structs.replace(void, idempotency_key="x" * 500_000)
    (order_id,) = order_ids(1)
    partition = murmur2(order_id.encode(), settings.partitions)
    records = [
        (odd, order_id.encode(), encode(PAYMENT_INSTRUCT, command(PAYMENT_INSTRUCT, order_id, data)))
        for data, chosen in ((void, ODD.values()), (unasked, [Odd()]), (huge, [Odd()]))
        for odd in chosen
    ]
    await produced(settings, TopicPartition(PAYMENT_INSTRUCT.name, partition), records)
    await desk.instruct(order_id)
    await desk.until(
        lambda: any(said.data.operation is PaymentOperation.AUTHORISE for said in desk.outcomes[order_id])
    )
    assert "Traceback" not in gateway.log()
