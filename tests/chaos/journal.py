"""What the load was told: every acknowledged command, and what it must have led to."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Accepted:
    """A command that the API (202) or the broker has acknowledged; `key` is its cart, order or SKU."""

    kind: str
    key: str


@dataclass
class Journal:
    """The load's own books, by which the platform is held to account.

    `carts` has the pieces by SKU that a cart was told to hold, `checkouts` the cart of each accepted order,
    `received` the pieces by SKU that came in for certain and `unsure` those that nobody acknowledged.
    """

    commands: dict[str, Accepted] = field(default_factory=dict)
    carts: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    checkouts: dict[str, str] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    unsure: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)

    def accept(self, command_id: str, kind: str, key: str) -> None:
        """Note an acknowledged command."""
        self.commands[command_id] = Accepted(kind, key)

    def fill(self, cart: str, sku: str, pieces: int) -> None:
        """Note pieces that a cart was told to hold."""
        self.carts[cart][sku] = pieces

    def buy(self, cart: str, order: str) -> None:
        """Note an accepted checkout."""
        self.checkouts[order] = cart
