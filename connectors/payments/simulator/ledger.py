"""What the provider remembers: tokens, payments, operations, and every answer by its idempotency key.

One SQLite file; an operation's effect and its answer are one transaction, so that a restart forgets nothing
and a repeated key meets its first answer. Of a card only the last four digits and the behaviour are kept.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec

from connectors.payments.simulator.cards import FIXED_TOKENS, Behaviour

_TABLES = """
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, behaviour TEXT NOT NULL, last4 TEXT NOT NULL, order_id TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payments (order_id TEXT PRIMARY KEY, payment BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operations (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, order_id TEXT NOT NULL, operation TEXT NOT NULL,
    amount INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT, at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS operations_by_order ON operations (order_id);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
"""


class Card(msgspec.Struct, frozen=True):
    """What a token stands for, and the one order that it pays for, where that is settled."""

    behaviour: Behaviour
    last4: str
    order_id: str | None = None


class Held(msgspec.Struct, frozen=True):
    """An order's money at the provider, in minor units of `currency`."""

    currency: str | None = None
    behaviour: Behaviour = Behaviour.APPROVED
    last4: str | None = None
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    credited: int = 0
    voided: bool = False
    authorisation_id: str | None = None
    capture_id: str | None = None


class StoredAnswer(msgspec.Struct, frozen=True):
    """The answer that a key had, and to which request."""

    fingerprint: str
    status: int
    body: bytes


class Operation(msgspec.Struct, frozen=True):
    """One operation; `at` is ms since the epoch."""

    id: str
    operation: str
    amount: int
    outcome: str
    reason: str | None
    at: int


class Ledger:
    """The provider's memory, in the file at `path` (made with its folder where missing)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_TABLES)
        columns = [row[1] for row in self._database.execute("PRAGMA table_info(tokens)")]
        if "order_id" not in columns:
            # A file from before tokens were bound.
            self._database.execute("ALTER TABLE tokens ADD COLUMN order_id TEXT")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside one change, or none."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def add_card(self, card: Card) -> str:
        """Keep what a card does, and return the token that stands for it."""
        token = f"tok_{uuid4().hex}"
        self._database.execute(
            "INSERT INTO tokens (token, behaviour, last4, order_id) VALUES (?, ?, ?, ?)",
            (token, card.behaviour, card.last4, card.order_id),
        )
        return token

    def bind(self, token: str, order_id: str) -> None:
        """Let a token pay for one order alone; the fixed ones stay everybody's."""
        self._database.execute("UPDATE tokens SET order_id = ? WHERE token = ?", (order_id, token))

    def card(self, token: str) -> Card | None:
        """Return what a token stands for."""
        if token in FIXED_TOKENS:
            return Card(*FIXED_TOKENS[token])
        row = self._database.execute(
            "SELECT behaviour, last4, order_id FROM tokens WHERE token = ?", (token,)
        ).fetchone()
        return None if row is None else Card(Behaviour(row[0]), row[1], row[2])

    def payment(self, order_id: str) -> Held | None:
        """Return an order's money."""
        row = self._database.execute(
            "SELECT payment FROM payments WHERE order_id = ?", (order_id,)
        ).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=Held)

    def keep(self, order_id: str, held: Held) -> None:
        """Keep an order's money."""
        self._database.execute(
            "INSERT INTO payments VALUES (?, ?)"
            " ON CONFLICT (order_id) DO UPDATE SET payment = excluded.payment",
            (order_id, msgspec.json.encode(held)),
        )

    def record(self, order_id: str, done: Operation) -> None:
        """Append to the list of operations."""
        self._database.execute(
            "INSERT INTO operations (order_id, id, operation, amount, outcome, reason, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (order_id, *msgspec.structs.astuple(done)),
        )

    def operations(self, order_id: str) -> list[Operation]:
        """Return an order's operations, oldest first."""
        rows = self._database.execute(
            "SELECT id, operation, amount, outcome, reason, at FROM operations WHERE order_id = ?"
            " ORDER BY number",
            (order_id,),
        )
        return [Operation(*row) for row in rows]

    def answer(self, key: str) -> StoredAnswer | None:
        """Return the answer that an idempotency key had."""
        row = self._database.execute(
            "SELECT fingerprint, status, body FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else StoredAnswer(*row)

    def keep_answer(self, key: str, answer: StoredAnswer) -> None:
        """Keep the answer of an idempotency key."""
        self._database.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?)", (key, answer.fingerprint, answer.status, answer.body)
        )
