"""What people ask of the simulated shop: a list of commands, made from the seed."""

import random
from dataclasses import dataclass
from typing import Any

from schemas.cart import CartAdd, CartChange, CartLine, CartMerge, CartRemove
from schemas.checkout import Charge, CheckoutRequested, Consent
from schemas.envelope import derived_id
from schemas.inventory import InventoryAdjust, InventoryReceive
from schemas.order import OrderAdvance, OrderCancel, OrderLine, OrderReturn, OrderStatus
from schemas.product import ProductCreate, ProductDelete, ProductUpdate
from streams.kernel.ports import Output
from tests.simulation.names import Names
from topics import registry as t
from topics.command import command
from topics.topic import Topic
from topics.wire import encode

PEOPLE = ("Ann", "Bob", "Cy", "Dee", "Eve", "Fay", "Gus", "Hal")
SKUS = ("LAMP", "MUG", "SOAP", "TRAY")
_TOKENS = ("tok_visa",) * 6 + (
    "tok_declined",
    "tok_insufficient",
    "tok_capture_fails",
    "tok_processing_error",
)
_TARGETS = (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.REFUNDED)


@dataclass(frozen=True)
class Command:
    """A command that somebody will send; `words` says it for people."""

    event_id: str
    topic: Topic[Any]
    key: str
    data: Any
    user_id: str | None
    words: str

    def output(self, now: int) -> Output:
        """Return the record that the API would send at `now` (ms)."""
        message = command(
            self.topic,
            self.key,
            self.data,
            event_id=self.event_id,
            user_id=self.user_id,
            source="simulation",
            occurred_at=now,
        )
        return Output(self.topic.name, self.key.encode(), encode(self.topic, message))


class Shop:
    """The commands of one run, and the names of what they are about."""

    def __init__(self, rng: random.Random, names: Names) -> None:
        self._rng = rng
        self._names = names
        self.commands: list[Command] = []
        self._skus = SKUS[: rng.randint(1, len(SKUS))]
        self._prices: dict[str, int] = {}
        for sku in self._skus:
            self._open(sku)
        shopping = [self._shopping(who) for who in PEOPLE[: rng.randint(2, len(PEOPLE))]]
        shopping.append(self._staff())
        self._interleave(shopping)

    def _say(self, topic: Topic[Any], key: str, data: Any, words: str, user_id: str | None = None) -> Command:
        number = str(len(self.commands) + self._rng.getrandbits(40))
        return Command(derived_id("simulated command", number), topic, key, data, user_id, words)

    def _id(self, kind: str, name: str) -> str:
        made = derived_id("simulated", kind, name)
        self._names.known[made] = f"{name}'s {kind}" if kind != "user" else name
        return made

    def _open(self, sku: str) -> None:
        rng = self._rng
        price, pieces = rng.randint(1, 500), rng.choice((0, 1, 1, 2, 3, 5, 12))
        self._prices[sku] = price
        create = ProductCreate(f"A {sku.lower()}", price, "GBP", low_stock_threshold=rng.choice((0, 1, 10)))
        self.commands.append(self._say(t.PRODUCT_CREATE, sku, create, f"{sku} goes on sale for {price}"))
        if pieces:
            receipt = InventoryReceive(derived_id("receipt", sku), pieces, "opening")
            self.commands.append(
                self._say(t.INVENTORY_RECEIVE, sku, receipt, f"{pieces} pieces of {sku} come in")
            )

    def _shopping(self, who: str) -> list[Command]:
        rng, user = self._rng, self._id("user", who)
        said: list[Command] = []
        for turn in range(rng.choice((1, 1, 2))):
            cart, order = self._id("cart", who), self._id("order" + ("" if turn == 0 else " 2"), who)
            wanted = self._wanted()
            for line in wanted:
                add = CartAdd((line,))
                said.append(self._say(t.CART_ADD, cart, add, f"{who} wants {_spoken(line)}", user))
            first, last = wanted[0].line_id, wanted[-1].line_id
            if rng.random() < 0.2:
                change = CartChange(first, rng.randint(0, 3))
                said.append(self._say(t.CART_CHANGE, cart, change, f"{who} changes {first}", user))
            if rng.random() < 0.1:
                said.append(self._say(t.CART_REMOVE, cart, CartRemove(last), f"{who} removes {last}", user))
            guest = self._guest(who, user, cart) if rng.random() < 0.4 else []
            buying = self._checkout(who, user, cart, order, wanted)
            # A guest who logs in while the cart is being bought finds it frozen.
            said += guest + buying if rng.random() < 0.5 else buying + guest
        return said

    def _wanted(self) -> list[CartLine]:
        """Return lines for a cart: some SKUs have several, some an agreed price, some are asked for twice."""
        rng, wanted = self._rng, []
        for sku in rng.sample(self._skus, rng.randint(1, len(self._skus))):
            wanted.append(CartLine(sku, sku, rng.randint(1, 3)))
            if rng.random() < 0.3:
                wanted.append(CartLine(f"{sku}-2", sku, rng.randint(1, 2), rng.randint(1, 300)))
            if rng.random() < 0.15:
                wanted.append(CartLine(sku, sku, 1))
        return wanted

    def _guest(self, who: str, user: str, cart: str) -> list[Command]:
        guest, lines = self._id("guest cart", who), self._wanted()
        return [
            *(
                self._say(t.CART_ADD, guest, CartAdd((line,)), f"{who}, a guest still, wants {_spoken(line)}")
                for line in lines
            ),
            self._say(
                t.CART_MERGE, guest, CartMerge(cart), f"{who} logs in: the guest's cart is merged", user
            ),
        ]

    def _price(self, line: CartLine) -> int:
        return self._prices[line.sku] if line.agreed_price is None else line.agreed_price

    def _checkout(self, who: str, user: str, cart: str, order: str, wanted: list[CartLine]) -> list[Command]:
        rng = self._rng
        token = rng.choice(_TOKENS)
        charges = (Charge("POST", "Postage", rng.choice((1, 2)), 250),) if rng.random() < 0.3 else ()
        expected = len({line.line_id for line in wanted}) if rng.random() < 0.8 else None
        # Who awaits no answer saw the prices that the goods went on sale for.
        total = sum(line.quantity * self._price(line) for line in wanted)
        agreed = Consent(0, total + sum(charge.quantity * charge.amount for charge in charges))
        consent = agreed if expected is not None and rng.random() < 0.7 else None
        wish = CheckoutRequested(
            order, "GBP", token, charges=charges, expected_lines=expected, consent=consent
        )
        words = f"{who} asks to buy the cart as {self._names.key(order)}, with {token}"
        said = [self._say(t.CHECKOUT_REQUESTED, cart, wish, words, user)]
        if rng.random() < 0.15:
            said.append(self._say(t.CHECKOUT_REQUESTED, cart, wish, f"{who} asks the same again", user))
        if rng.random() < 0.35:
            cancel = OrderCancel("changed my mind")
            said.append(
                self._say(t.ORDER_CANCEL, order, cancel, f"{who} cancels {self._names.key(order)}", user)
            )
        staff = self._id("user", "staff")
        for target in _TARGETS if rng.random() < 0.3 else ():
            if rng.random() < 0.6:
                words = f"staff move {self._names.key(order)} on to {target}"
                said.append(self._say(t.ORDER_ADVANCE, order, OrderAdvance(target), words, staff))
        return said

    def _staff(self) -> list[Command]:
        """Return what staff do. A count that was refused may be sent again, and must not succeed then."""
        rng, said = self._rng, []
        staff = self._id("user", "staff")
        if rng.random() < 0.3:
            said += self._repriced(rng.choice(self._skus), staff)
        for number in range(rng.choice((0, 2, 4, 12))):
            sku = rng.choice(self._skus)
            movement = derived_id("movement", sku, str(number))
            match rng.randrange(5):
                case 0:
                    price = rng.randint(1, 500)
                    said.append(
                        self._say(
                            t.PRODUCT_UPDATE, sku, ProductUpdate(price=price), f"{sku} is {price} now", staff
                        )
                    )
                case 1:
                    said.append(
                        self._say(t.PRODUCT_DELETE, sku, ProductDelete(), f"{sku} goes off sale", staff)
                    )
                    if rng.random() < 0.5:
                        anew = ProductCreate(f"A new {sku.lower()}", rng.randint(1, 500), "GBP")
                        said.append(
                            self._say(t.PRODUCT_CREATE, sku, anew, f"another {sku} goes on sale", staff)
                        )
                case 2:
                    delta = rng.choice((-12, -5, -3, -2, -1, 1, 3))
                    adjust = InventoryAdjust(movement, delta, "count")
                    said.append(
                        self._say(t.INVENTORY_ADJUST, sku, adjust, f"{sku} is counted: {delta:+}", staff)
                    )
                    if rng.random() < 0.4:
                        said.append(said[-1])
                case 3:
                    receive = InventoryReceive(movement, rng.randint(0, 4), "purchase")
                    said.append(
                        self._say(
                            t.INVENTORY_RECEIVE, sku, receive, f"{receive.quantity} of {sku} come in", staff
                        )
                    )
                case _:
                    back = self._id("return", f"customer {number}")
                    lines = tuple(
                        OrderLine(str(at), of, rng.randint(1, 3), agreed_price=rng.randint(1, 300))
                        for at, of in enumerate(rng.choices(self._skus, k=rng.randint(1, 3)))
                    )
                    taken = OrderReturn(
                        "GBP", lines, (), rng.choice(("tok_visa", "tok_visa", "tok_declined"))
                    )
                    words = (
                        f"{', '.join(f'{line.quantity} of {line.sku}' for line in lines)} are brought back"
                    )
                    said.append(self._say(t.ORDER_RETURN, back, taken, words, staff))
        return said

    def _repriced(self, sku: str, staff: str) -> list[Command]:
        """Return more changes of a price than the product remembers; some are sent twice in a row."""
        said: list[Command] = []
        for price in self._rng.sample(range(1, 500), 7):
            said.append(
                self._say(t.PRODUCT_UPDATE, sku, ProductUpdate(price=price), f"{sku} is {price}", staff)
            )
            if self._rng.random() < 0.3:
                said.append(said[-1])
        return said

    def _interleave(self, lists: list[list[Command]]) -> None:
        """Mix what people say; each in their own order."""
        lists = [each for each in lists if each]
        while lists:
            chosen = self._rng.choice(lists)
            self.commands.append(chosen.pop(0))
            lists = [each for each in lists if each]


def _spoken(line: CartLine) -> str:
    agreed = "" if line.agreed_price is None else f" at an agreed {line.agreed_price}"
    return f"{line.quantity} of {line.sku}{agreed}"
