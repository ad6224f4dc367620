"""Watching the topics as records arrive: the doctor's facts, and what may not be said even for a moment."""

from collections import defaultdict

import msgspec

from connectors.runtime.record import Record
from deploy.doctor.facts import Events, Row
from deploy.doctor.topic_facts import TAKES
from streams.order.agent import POLICY as ORDER_POLICY
from tests.simulation.rules.carts import Carts
from tests.simulation.rules.identity import Identity
from tests.simulation.rules.orders import Orders
from tests.simulation.rules.patience import Patience
from tests.simulation.rules.rule import Rule, Told
from tests.simulation.small import CART_POLICY
from topics import registry as t
from topics.wire import decode

_ANSWERED = frozenset(
    {
        t.CART_ADD.name,
        t.CART_CHANGE.name,
        t.CART_REMOVE.name,
        t.CART_MERGE.name,
        t.PRODUCT_CREATE.name,
        t.PRODUCT_UPDATE.name,
        t.PRODUCT_DELETE.name,
        t.INVENTORY_RECEIVE.name,
        t.INVENTORY_ADJUST.name,
        t.ORDER_CANCEL.name,
        t.ORDER_RETURN.name,
    }
)
_REFUSALS = frozenset(
    {t.CART_REJECTED.name, t.PRODUCT_REJECTED.name, t.INVENTORY_REFUSED.name, t.ORDER_REJECTED.name}
)
_ORDERS = frozenset(
    {t.ORDER_CONFIRMED.name, t.ORDER_CANCELLED.name, t.ORDER_REFUNDED.name, t.ORDER_RETURNED.name}
)


class Monitor:
    """Reads every record once. `violations` is what was wrong at once; the rest is for the examination."""

    def __init__(self) -> None:
        self.events = Events()
        self.violations: list[str] = []
        self.received: dict[str, str] = {}
        self.requested: set[str] = set()
        self.answers: dict[str, set[str]] = defaultdict(set)
        # By key: at which of its versions each command was answered.
        self.answered: dict[str, dict[str, int]] = defaultdict(dict)
        # Refused by a key that has no state, and so no memory of having refused.
        self.unknown: set[str] = set()
        self.totals: dict[str, dict[str, int]] = defaultdict(dict)
        self.movements: dict[tuple[str, str, str], int] = {}
        self.pieces: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        self.confirmed: dict[str, Row] = {}
        self.rules: tuple[Rule, ...] = (Carts(), Orders(), Patience(CART_POLICY, ORDER_POLICY))
        self._identity = Identity()
        self._said: dict[str, Told] = {}

    def watch(self, record: Record) -> None:
        """Take a record."""
        topic = t.TOPICS.get(record.topic)
        if topic is None:
            self.violations.append(f"a record of {record.key!r} is dead-lettered: {_reason(record)}")
            return
        if record.value is None:
            return
        message = decode(topic, record.value)
        name = topic.name
        self._take(Told(name, message, self._said.get(message.causation_id or "")))
        if name in _ANSWERED:
            self.received[message.event_id] = name
        elif name == t.CHECKOUT_REQUESTED.name:
            self.requested.add(message.data.order_id)  # type: ignore[attr-defined] # it is a request
        elif message.causation_id is not None:
            # An answer that had to wait has another cause, and names the command itself.
            asked = getattr(message.data, "command_id", None) or message.causation_id
            if asked in self.received:
                answered = self.answered[message.aggregate_id]
                answered.setdefault(asked, message.aggregate_version)
            self.answers[asked].add("refused" if name in _REFUSALS else "accepted")
            if name in _REFUSALS and not message.aggregate_version:
                self.unknown.add(asked)
        if name in _ORDERS:
            self.totals[name][message.aggregate_id] = message.data.total  # type: ignore[attr-defined]
        take = TAKES.get(name)
        if take is not None:
            plain = msgspec.to_builtins(message)
            take(self.events, plain)
            self._check(name, message.aggregate_id, plain)

    def _take(self, told: Told) -> None:
        """Tell the rules of a message, once: what comes a second time has to be the same."""
        again = self._identity.again(told)
        if again is not None:
            self.violations.append(again)
        if self._said.setdefault(told.message.event_id, told) is told:
            for rule in self.rules:
                self.violations += rule.take(told)

    def _check(self, topic: str, key: str, message: Row) -> None:
        if topic in {t.CHECKOUT_COMPLETED.name, t.CHECKOUT_FAILED.name}:
            ends = self.events.ends[key]
            if len(ends.completed) + len(ends.failed) > 1:
                self.violations.append(f"checkout of {key} ends more than once")
        elif topic == t.PAYMENT_CAPTURED.name:
            if len(self.events.captures[key]) > 1:
                self.violations.append(f"payment of {key} is captured more than once")
            if key not in self.confirmed:
                self.violations.append(f"payment of {key} is captured, and its order was never confirmed")
        elif topic == t.INVENTORY_UPDATED.name:
            self._moved(key, message)
        elif topic.startswith("ecommerce.order."):
            if topic == t.ORDER_CONFIRMED.name:
                self.confirmed[key] = message["data"]
            if self.events.orders[key].contradictions:
                self.violations.append(f"{key} has two events of one version")

    def _moved(self, sku: str, message: Row) -> None:
        """Take a movement of stock: none may happen twice, and an order's are kept for the examination."""
        version, movement = message["aggregate_version"], message["data"]["movement"]
        what = (sku, movement["kind"], movement["reference"])
        if self.movements.setdefault(what, version) != version:
            self.violations.append(
                f"movement of {sku} applied twice: {movement['kind']} {movement['reference']}"
            )
        if movement["kind"] == "commit":
            self.pieces[movement["reference"], sku]["out"] = movement["quantity"]
        elif movement["reason"] in {"cancellation", "return"}:
            self.pieces[movement["reference"], sku]["back"] = movement["quantity"]


def _reason(record: Record) -> str:
    found = dict(record.headers)
    return " ".join((found.get(name) or b"").decode() for name in ("reason", "error"))
