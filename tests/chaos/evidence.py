"""What is found outside when all is quiet again: topics, views and the provider's books."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from connectors.payments.simulator.ledger import Held
from deploy.doctor import examination
from deploy.doctor.facts import Facts
from deploy.records.position import Beginning
from deploy.records.reader import Reader
from deploy.records.record import Record
from deploy.topology.gather import running
from schemas.codec import UndecodableError, decode_fields
from topics import registry as t
from topics.settings import Settings

OUTCOMES = tuple(
    topic.name
    for topic in (
        t.CART_UPDATED,
        t.CART_REJECTED,
        t.CHECKOUT_STARTED,
        t.CHECKOUT_FAILED,
        t.CHECKOUT_COMPLETED,
        t.ORDER_PLACED,
        t.ORDER_CONFIRMED,
        t.ORDER_CANCELLED,
        t.ORDER_REJECTED,
        t.INVENTORY_UPDATED,
        t.INVENTORY_REFUSED,
        t.PAYMENT_CAPTURED,
    )
)


@dataclass(frozen=True)
class Account:
    """An order at the provider, in minor units; `captures` are the approved ones, `holds` authorisations."""

    currency: str | None
    captured: int
    given_back: int
    captures: int
    holds: int
    voided: bool

    @property
    def kept(self) -> int:
        """Return the money that the shop has."""
        return self.captured - self.given_back


@dataclass
class Evidence:
    """The doctor's facts, and what only the load can judge.

    `caused` are the ids of messages that an outcome names as its cause, `repeated` counts records that came
    twice under one id, `letters` are the dead ones, `stopped` processes that do not run.
    """

    facts: Facts = field(default_factory=Facts)
    caused: set[str] = field(default_factory=set)
    repeated: int = 0
    letters: list[str] = field(default_factory=list)
    books: dict[str, Account] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)


def gather(settings: Settings, wait_s: float, say: Callable[[str], None]) -> Evidence:
    """Return the evidence of a platform at rest. Raises CommandError where a server does not answer."""
    facts = examination.gather(settings, running(settings), wait_s, say)
    evidence = Evidence(facts=facts)
    with Reader(settings) as reader:
        say("reading outcomes")
        read_outcomes(reader.read(reader.spans(OUTCOMES, Beginning())), evidence)
        letters = [topic.name for topic in t.DEAD_LETTERS.values()]
        for letter in reader.read(reader.spans(letters, Beginning())):
            evidence.letters.append(
                f"{letter.position} from {letter.header('source_topic')}: {letter.header('error')}"
            )
    evidence.books = read_books(settings.data_dir / "payment-provider" / "ledger.sqlite3")
    return evidence


def read_outcomes(records: Iterable[Record], evidence: Evidence) -> None:
    """Note the causes of outcomes, and how many records repeat another."""
    seen: set[str] = set()
    for record in records:
        if record.value is None:
            continue
        try:
            message = decode_fields(record.value)
        except UndecodableError:
            continue
        evidence.repeated += message["event_id"] in seen
        seen.add(message["event_id"])
        evidence.caused.add(message["causation_id"])


def read_books(path: Path) -> dict[str, Account]:
    """Return every order that the provider knows, from its own file."""
    approved: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as books:
        for order, operation, count in books.execute(
            "SELECT order_id, operation, count(*) FROM operations WHERE outcome = 'approved' GROUP BY 1, 2"
        ):
            approved[order][operation] = count
        payments = books.execute("SELECT order_id, payment FROM payments").fetchall()
    accounts = {}
    for order, payment in payments:
        held = msgspec.json.decode(payment, type=Held)
        accounts[order] = Account(
            currency=held.currency,
            captured=held.captured,
            given_back=held.refunded + held.credited,
            captures=approved[order]["capture"],
            holds=approved[order]["authorise"],
            voided=held.voided,
        )
    return accounts
