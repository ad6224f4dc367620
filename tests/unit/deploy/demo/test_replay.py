from typing import Any, cast

from connectors.retail.identity import order_id, row_id
from connectors.retail.invoices import Invoice, invoices
from deploy.demo.in_flight import InFlight
from deploy.demo.outcomes import Outcomes
from deploy.demo.replay import Existing, Pace, Replay, order_ids, rejected_rows
from tests.unit.connectors.retail.rows import DECEMBER, row
from topics.producer import MessageProducer


class Broker:
    """Takes what is sent, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def send(self, topic: Any, key: str, message: Any) -> None:
        assert key == message.aggregate_id
        self.sent.append((topic.name, message.event_id))

    async def send_raw(self, topic: Any, key: bytes, value: bytes, headers: dict[str, str]) -> None:
        assert key
        assert value
        self.sent.append((topic.name, headers["id"]))

    async def flush(self) -> None: ...


class Platform:
    """Ends everything at once."""

    def __init__(self) -> None:
        self.in_flight = InFlight()
        self.expected: list[str] = []

    def expect(self, order_id: str, cart_id: str | None = None) -> None:
        assert cart_id != order_id
        self.expected.append(order_id)

    async def until(self, most: int, stopped: Any) -> None: ...


def replay() -> tuple[Replay, Broker, Platform]:
    broker, platform = Broker(), Platform()
    made = Replay(cast("MessageProducer", broker), cast("Outcomes", platform), "GBP", "sales.csv")
    return made, broker, platform


def shop() -> list[Invoice]:
    return invoices(
        [
            row(1),
            row(2, unit_price="0"),
            row(3, invoice_no="C1", quantity=-1, at=DECEMBER + 1),
            row(4, invoice_no="2", unit_price="0", at=DECEMBER + 2),
        ]
    )


async def test_invoices_are_sent_in_order_with_their_rejected_rows() -> None:
    made, broker, platform = replay()
    assert await made.run(shop(), Existing(), Pace(None)) == 3
    assert [topic.removeprefix("ecommerce.") for topic, _ in broker.sent] == [
        "cart.add",
        "checkout.requested",
        "dlq.import",
        "order.return",
        "dlq.import",
    ]
    assert platform.expected == [order_id("536365"), order_id("C1")]
    done = made.done
    assert (done.taken, done.sent, done.skipped, done.messages, done.letters) == (3, 2, 0, 3, 2)


async def test_what_exists_is_not_sent_again() -> None:
    made, broker, platform = replay()
    existing = Existing({order_id("536365")}, {row_id("536365", 2)})
    assert await made.run(shop(), existing, Pace(None)) == 3
    assert [topic.removeprefix("ecommerce.") for topic, _ in broker.sent] == ["order.return", "dlq.import"]
    assert platform.expected == [order_id("C1")]
    assert made.done.skipped == 1


async def test_stopping_ends_at_an_invoice_boundary() -> None:
    made, broker, _ = replay()
    made.stop()
    assert await made.run(shop(), Existing(), Pace(None)) == 0
    assert broker.sent == []


async def test_a_repeated_replay_sends_the_same_ids() -> None:
    (first, one, _), (second, two, _) = replay(), replay()
    await first.run(shop(), Existing(), Pace(None))
    await second.run(shop(), Existing(), Pace(None))
    assert one.sent == two.sent


def test_what_the_views_are_asked_for() -> None:
    assert order_ids(shop()) == [order_id("536365"), order_id("C1")]
    assert rejected_rows(shop()) == {row_id("536365", 2): "2010-12", row_id("2", 1): "2010-12"}
