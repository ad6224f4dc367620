"""Two shoppers want the last lamp, one with a mug to it, the other with a bad card; one worker may die.

A state is a row of small numbers: per actor (a key of a flow) its store and what it would send again, per
queue what waits in it, per order the provider's books and what has been said of it, and what may still fail.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from connectors.payments.simulator.ledger import Held, StoredAnswer
from schemas.cart import CartAdd, CartLine
from schemas.checkout import CheckoutRequested
from schemas.envelope import derived_id
from schemas.inventory import InventoryReceive
from schemas.payment import PaymentInstruction, PaymentOutcome, ProviderOutcome
from schemas.product import ProductCreate
from streams.flows import FLOWS
from streams.kernel.flow import Flow
from tests.simulation.exhaustive.interned import Interned
from tests.simulation.exhaustive.units import Effects, Entries, Said, decided, fired
from tests.simulation.provider import Provider
from tests.simulation.scene import START_MS
from topics import registry as t
from topics.command import command
from topics.topic import Topic
from topics.wire import decode, encode

SKUS = (b"LAMP", b"MUG")
CARTS = tuple(derived_id("small cart", who).encode() for who in ("Ann", "Bob"))
ORDERS = tuple(derived_id("small order", who).encode() for who in ("Ann", "Bob"))
TOKENS = ("tok_visa", "tok_declined")
WANTED = (SKUS, SKUS[:1])
_KEYS = {"cart": CARTS, "order": ORDERS, "stock": SKUS, "allocation": ORDERS, "payment": ORDERS}
NAMES = {
    **dict(zip(CARTS, ("Ann's cart", "Bob's cart"), strict=True)),
    **dict(zip(ORDERS, ("Ann's order", "Bob's order"), strict=True)),
}

State = tuple[int, ...]


class Actor(NamedTuple):
    """What an actor is: its store, what a new owner would send again, and whether it is down."""

    entries: Entries = ()
    outbox: tuple[Said, ...] = ()
    down: bool = False


class Books(NamedTuple):
    """The provider's memory of one order."""

    held: Held | None = None
    answers: tuple[tuple[str, StoredAnswer], ...] = ()


class SmallWorld:
    """The moves of the small world. `crashes`, `losses` and `deadlines` are how many of each may happen."""

    def __init__(
        self, *, crashes: int = 1, losses: int = 0, deadlines: int = 0, flows: Sequence[Flow[Any]] = FLOWS
    ) -> None:
        self.flows = {flow.name: flow for flow in flows}
        self.actors = [(name, key) for name, keys in _KEYS.items() for key in keys]
        self.queues = [
            (number, route.topic.name)
            for number, (name, _) in enumerate(self.actors)
            for route in self.flows[name].routes
        ]
        self._readers: dict[tuple[str, bytes], list[int]] = {}
        self._base = len(self.actors)
        for index, (number, topic) in enumerate(self.queues):
            self._readers.setdefault((topic, self.actors[number][1]), []).append(self._base + index)
        self._asked = self._base + len(self.queues)
        self._books = self._asked + len(ORDERS)
        self.told = self._books + len(ORDERS)
        self.budget = self.told + len(ORDERS)
        self.stores: Interned[Actor] = Interned()
        self.records: Interned[tuple[Said, ...]] = Interned()
        self.nothing = self.records.number(())
        self.books: Interned[Books] = Interned()
        self.histories: Interned[frozenset[tuple[str, str]]] = Interned()
        self.budgets: Interned[tuple[int, int, int]] = Interned()
        self._units: dict[tuple[int, int, Said], Effects] = {}
        self._dues: dict[tuple[int, int], tuple[Said, ...]] = {}
        self._answers: dict[tuple[int, Said], tuple[int, ProviderOutcome, str | None, str | None]] = {}
        self._start = (crashes, losses, deadlines)

    # -- beginning -------------------------------------------------------------------------------------

    def beginning(self) -> State:
        """Return the world in which both carts are full and both shoppers have asked to buy."""
        nothing = self.nothing
        row = [self.stores.number(Actor())] * self._base + [nothing] * (len(self.queues) + len(ORDERS))
        row += [self.books.number(Books())] * len(ORDERS) + [self.histories.number(frozenset())] * len(ORDERS)
        row.append(self.budgets.number((0, 0, 0)))
        product_flow = self.flows["product"]
        for sku in SKUS:
            created = decided(
                product_flow, (), _command(t.PRODUCT_CREATE, sku, ProductCreate("A thing", 100, "GBP"))
            )
            self._settle(row, [*created.outputs[0], _command(t.INVENTORY_RECEIVE, sku, _receipt(sku))])
        for cart, skus in zip(CARTS, WANTED, strict=True):
            lines = tuple(CartLine(sku.decode(), sku.decode(), 1) for sku in skus)
            self._settle(row, [_command(t.CART_ADD, cart, CartAdd(lines))])
        for number, actor in enumerate(row[: self._base]):
            row[number] = self.stores.number(Actor(self.stores[actor].entries))
        row[-1] = self.budgets.number(self._start)
        for cart, order, token in zip(CARTS, ORDERS, TOKENS, strict=True):
            asked = CheckoutRequested(order.decode(), "GBP", token)
            self._send(row, [_command(t.CHECKOUT_REQUESTED, cart, asked)])
        return tuple(row)

    def _settle(self, row: list[int], said: list[Said]) -> None:
        self._send(row, said)
        while any(len(self.records[row[self._base + at]]) for at in range(len(self.queues))):
            _, after = next(self._deliveries(tuple(row)))
            row[:] = after

    # -- moves -----------------------------------------------------------------------------------------

    def moves(self, state: State) -> Iterator[tuple[str, State]]:
        """Return everything that can happen, in words, and the state after it."""
        yield from self._deliveries(state)
        yield from self._instructions(state)
        crashes, losses, deadlines = self.budgets[state[-1]]
        if deadlines or losses < self._start[1]:
            yield from self._timers(state, losses, deadlines)
        for number in range(self._base):
            actor = self.stores[state[number]]
            if actor.down:
                yield self._restarted(state, number, actor)
            elif crashes and actor.outbox:
                # Its disk is lost, and with it the knowledge that the last outputs are out.
                spent = self._with(state, number, self.stores.number(actor._replace(down=True)))
                yield f"{self._name(number)} dies and loses its disk", self._spend(spent, 0)

    def _deliveries(self, state: State) -> Iterator[tuple[str, State]]:
        crashes = self.budgets[state[-1]][0]
        nothing = self.nothing
        for index, place in enumerate(state[self._base : self._asked]):
            if place == nothing:
                continue
            number = self.queues[index][0]
            waiting, actor = self.records[place], self.stores[state[number]]
            if actor.down:
                continue
            said = waiting[0]
            effects = self._unit(number, state[number], said)
            name = f"{self._name(number)} reads {said.topic.removeprefix('ecommerce.')}"
            rest = self.records.number(waiting[1:])
            sent = [one for batch in effects.outputs for one in batch]
            outbox = tuple(sent) if crashes else ()
            if effects.entries == actor.entries and not sent:
                yield name, self._with(state, self._base + index, rest)
                continue
            row = list(state)
            row[self._base + index] = rest
            row[number] = self.stores.number(Actor(effects.entries, outbox))
            whole = list(row)
            self._send(whole, sent)
            yield name, tuple(whole)
            if not crashes:
                continue
            row[number] = self.stores.number(Actor(effects.entries, outbox, down=True))
            for count in range(len(effects.outputs) + 1):
                partly = list(row)
                self._send(partly, [one for batch in effects.outputs[:count] for one in batch])
                words = f"{name} and dies with {count} of {len(effects.outputs)} outputs sent"
                yield words, self._spend(tuple(partly), 0)

    def _restarted(self, state: State, number: int, actor: Actor) -> tuple[str, State]:
        row = list(state)
        row[number] = self.stores.number(Actor(actor.entries))
        self._send(row, list(actor.outbox))
        return f"{self._name(number)} starts again and sends what it had to send", tuple(row)

    def _instructions(self, state: State) -> Iterator[tuple[str, State]]:
        losses = self.budgets[state[-1]][1]
        for order in range(len(ORDERS)):
            waiting = self.records[state[self._asked + order]]
            if not waiting:
                continue
            books, outcome, reference, reason = self._answer(state[self._books + order], order, waiting[0])
            base = list(state)
            base[self._asked + order] = self.records.number(waiting[1:])
            done = list(base)
            done[self._books + order] = books
            self._send(done, [_outcome(order, waiting[0], outcome, reference, reason)])
            name = f"the provider answers {NAMES[ORDERS[order]]}: {outcome}"
            yield name, tuple(done)
            if losses:
                for reached in (False, True):
                    lost = list(base)
                    if reached:
                        lost[self._books + order] = books
                    self._send(
                        lost, [_outcome(order, waiting[0], ProviderOutcome.UNAVAILABLE, None, "timeout")]
                    )
                    what = "answer" if reached else "request"
                    yield f"the {what} about {NAMES[ORDERS[order]]} is lost", self._spend(tuple(lost), 1)

    def _timers(self, state: State, losses: int, deadlines: int) -> Iterator[tuple[str, State]]:
        """Wake payments that were not answered, at any time; and, while there are any, one order too late."""
        for number, (name, key) in enumerate(self.actors):
            wanted = (name == "payment" and losses < self._start[1]) or (name == "order" and deadlines)
            if not wanted or self.stores[state[number]].down:
                continue
            for said in self._due(number, state[number]):
                row = list(state)
                place = self._readers[said.topic, key][0]
                if any(one.topic == said.topic for one in self.records[row[place]]):
                    continue
                self._send(row, [said])
                after = tuple(row)
                words = f"the time of {self._name(number)} has come"
                yield words, self._spend(after, 2) if name == "order" else after

    # -- parts -----------------------------------------------------------------------------------------

    def _unit(self, number: int, store: int, said: Said) -> Effects:
        entries = self.stores[store].entries
        found = self._units.get((number, store, said))
        if found is None:
            flow = self.flows[self.actors[number][0]]
            found = self._units[number, store, said] = decided(flow, entries, said)
        return found

    def _due(self, number: int, store: int) -> tuple[Said, ...]:
        found = self._dues.get((number, store))
        if found is None:
            name = self.actors[number][0]
            made = fired(self.flows[name], self.stores[store].entries)
            found = self._dues[number, store] = tuple(
                said
                for said in made
                if decode(t.TOPICS[said.topic], said.value).data.due_at < _SOON  # type: ignore[attr-defined]
            )
        return found

    def _answer(
        self, books: int, order: int, said: Said
    ) -> tuple[int, ProviderOutcome, str | None, str | None]:
        found = self._answers.get((books, said))
        if found is None:
            key = ORDERS[order].decode()
            provider, known = Provider(), self.books[books]
            if known.held is not None:
                provider.ledger.payments[key] = known.held
            provider.ledger.answers = dict(known.answers)
            instruction: PaymentInstruction = decode(t.PAYMENT_INSTRUCT, said.value).data
            answer = provider.serve(key, instruction)
            after = Books(provider.ledger.payments.get(key), tuple(sorted(provider.ledger.answers.items())))
            found = (self.books.number(after), answer.outcome, answer.reference, answer.reason)
            self._answers[books, said] = found
        return found

    def _send(self, row: list[int], said: list[Said]) -> None:
        for one in said:
            places = list(self._readers.get((one.topic, one.key), ()))
            if one.topic == t.PAYMENT_INSTRUCT.name:
                places.append(self._asked + ORDERS.index(one.key))
            for place in places:
                row[place] = self.records.number((*self.records[row[place]], one))
            if one.topic in TOLD:
                at = self.told + ORDERS.index(one.key)
                event = decode(t.TOPICS[one.topic], one.value).event_id
                row[at] = self.histories.number(self.histories[row[at]] | {(one.topic, event)})

    def _with(self, state: State, place: int, number: int) -> State:
        return (*state[:place], number, *state[place + 1 :])

    def _spend(self, state: State, what: int) -> State:
        left = list(self.budgets[state[-1]])
        left[what] -= 1
        row = list(state)
        row[-1] = self.budgets.number((left[0], left[1], left[2]))
        if left[0] == 0:
            # Nobody dies any more, so what would be sent again matters no more, but for one that is down.
            for number in range(self._base):
                actor = self.stores[row[number]]
                if actor.outbox and not actor.down:
                    row[number] = self.stores.number(Actor(actor.entries))
        return tuple(row)

    def _name(self, number: int) -> str:
        flow, key = self.actors[number]
        return f"{flow} of {NAMES.get(key, key.decode())}"


_SOON = START_MS + 3_000_000
TOLD = frozenset(
    topic.name
    for topic in (
        t.CHECKOUT_STARTED,
        t.CHECKOUT_COMPLETED,
        t.CHECKOUT_FAILED,
        t.ORDER_CONFIRMED,
        t.ORDER_CANCELLED,
        t.PAYMENT_CAPTURED,
    )
)
"""What is remembered of an order, because the invariants speak of it."""


def _command(topic: Topic[Any], key: bytes, data: msgspec.Struct) -> Said:
    event_id = derived_id("small command", topic.name, key.decode())
    message = command(topic, key.decode(), data, event_id=event_id, source="world", occurred_at=START_MS)
    return Said(topic.name, key, encode(topic, message))


def _receipt(sku: bytes) -> InventoryReceive:
    return InventoryReceive(derived_id("receipt", sku.decode()), 1, "opening")


def _outcome(
    order: int, said: Said, outcome: ProviderOutcome, reference: str | None, reason: str | None
) -> Said:
    asked = decode(t.PAYMENT_INSTRUCT, said.value)
    instruction: PaymentInstruction = asked.data
    data = PaymentOutcome(
        instruction.operation,
        instruction.idempotency_key,
        outcome,
        instruction.attempt,
        reference,
        reason,
    )
    event_id = derived_id("payment-outcome", asked.event_id, outcome)
    key = ORDERS[order].decode()
    message = command(t.PAYMENT_OUTCOME, key, data, event_id=event_id, source="gateway", occurred_at=START_MS)
    return Said(t.PAYMENT_OUTCOME.name, ORDERS[order], encode(t.PAYMENT_OUTCOME, message))
