"""The API's ports in memory: what its services need of Redis, Kafka and the views."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from api.auth.address import Address
from api.auth.caller import Caller
from api.auth.ended import End, EndedSessions, Session
from api.auth.users import Account, EmailTakenError
from api.cart.view import CartState
from api.checkout.models import Card
from api.inventory.models import StockLevel
from api.order.models import Order, OrderEvent, OrderPage, OrderSummary
from api.product.models import Product, ProductPage, ProductSort
from api.product.queries import ProductFilter
from api.tail import Dispatcher
from schemas.envelope import Message, fresh_id, output_id
from schemas.order import OrderStatus
from sinks.search.backend import Facets, Query, Results, Suggestion
from topics.topic import Topic
from topics.wire import encode


class FakeRedis:
    """Strings with an expiry that nobody waits for."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    async def get(self, name: str) -> bytes | None:
        return self.values.get(name)

    async def set(self, name: str, value: bytes, *, ex: int, nx: bool = False) -> bool | None:
        assert ex > 0
        if nx and name in self.values:
            return None
        self.values[name] = value
        return True

    async def delete(self, name: str) -> int:
        return int(self.values.pop(name, None) is not None)


Reply = tuple[Topic[Any], str, msgspec.Struct, int]


class FakeBroker:
    """Keeps what is sent, and lets `reply` answer at once, as a very fast dataflow would."""

    def __init__(self, tail: Dispatcher) -> None:
        self._tail = tail
        self.sent: list[tuple[Topic[Any], str, Message[Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.reply: Callable[[Message[Any]], Iterable[Reply]] = lambda _message: ()
        self.error: Exception | None = None

    async def send_and_wait(
        self, topic: Topic[Any], key: str, message: Message[Any], headers: Mapping[str, str] | None = None
    ) -> object:
        if self.error is not None:
            raise self.error
        self.sent.append((topic, key, message))
        self.headers.append(dict(headers or {}))
        for index, (out, out_key, data, version) in enumerate(self.reply(message)):
            self.tell(out, out_key, data, version, cause=message.event_id, index=index)
        return None

    def tell(
        self,
        topic: Topic[Any],
        key: str,
        data: msgspec.Struct,
        version: int,
        *,
        cause: str = "01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11",
        index: int = 0,
    ) -> None:
        message = Message(
            event_id=output_id(cause, topic.name, index),
            event_type=topic.name,
            aggregate_id=key,
            aggregate_type=topic.aggregate,
            aggregate_version=version,
            occurred_at=time.time_ns() // 1_000_000,
            source="test",
            correlation_id=cause,
            causation_id=cause,
            data=data,
        )
        self._tail.dispatch(topic.name, key.encode(), encode(topic, message))


def product(sku: str, price: int = 295, available: int = 10, *, active: bool = True) -> Product:
    return Product(
        sku=sku,
        name=f"Product {sku}",
        description="",
        categories=["things"],
        price=price,
        currency="GBP",
        available=available,
        active=active,
        version=1,
    )


class FakeCatalogue:
    def __init__(self, *products: Product) -> None:
        self.known = {each.sku: each for each in products}

    async def product(self, sku: str) -> Product | None:
        return self.known.get(sku)

    async def products(self, skus: Iterable[str]) -> dict[str, Product]:
        return {sku: self.known[sku] for sku in skus if sku in self.known}

    async def page(
        self, chosen: ProductFilter, sort: ProductSort, limit: int, cursor: str | None
    ) -> ProductPage:
        self.asked = (chosen, sort, cursor)
        return ProductPage(items=list(self.known.values())[:limit], next_cursor=None)

    async def categories(self) -> list[tuple[str, int]]:
        return [("things", len(self.known))]


class FakeCarts:
    def __init__(self) -> None:
        self.known: dict[str, CartState] = {}

    async def read(self, cart_id: str) -> CartState | None:
        return self.known.get(cart_id)


class FakeOrders:
    """Orders of anybody who is the owner they are listed under."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[str, Order]] = {}
        self.told: list[OrderEvent] = []
        self.claims: dict[str, list[str]] = {}

    async def order(self, caller: Caller, order_id: str) -> Order | None:
        owner, order = self.known.get(order_id, (None, None))
        return order if caller.staff or owner in await self._owners(caller) else None

    async def _owners(self, caller: Caller) -> list[str | None]:
        return [caller.owner, *(f"cart:{cart_id}" for cart_id in await self.claimed(caller))]

    async def claimed(self, caller: Caller) -> list[str]:
        return self.claims.get(caller.user_id or "", [])

    async def by_guest(self, order_id: str) -> bool:
        owner, _ = self.known.get(order_id, ("", None))
        return owner.startswith("cart:")

    async def page(
        self,
        caller: Caller,
        limit: int,
        cursor: str | None,
        *,
        status: OrderStatus | None = None,
        everyone: bool = False,
    ) -> OrderPage:
        self.asked = (limit, cursor, status)
        owners = await self._owners(caller)
        mine = [order for owner, order in self.known.values() if everyone or owner in owners]
        fields = set(OrderSummary.model_fields)
        items = [OrderSummary(**order.model_dump(include=fields)) for order in mine]
        return OrderPage(items=items, next_cursor=None)

    async def events(self, order_id: str, after: int) -> list[OrderEvent]:
        return [each for each in self.told if each.order_id == order_id and each.version > after]


class FakeStock:
    def __init__(self) -> None:
        self.known: dict[str, StockLevel] = {}

    async def level(self, sku: str) -> StockLevel | None:
        return self.known.get(sku)


class FakeUsers:
    def __init__(self, claims: dict[str, list[str]]) -> None:
        self.known: dict[str, Account] = {}
        self.claims = claims

    async def claim(self, user_id: str, guest_cart: str) -> None:
        if not any(guest_cart in carts for carts in self.claims.values()):
            self.claims.setdefault(user_id, []).append(guest_cart)

    async def add(self, account: Account) -> None:
        key = Address.of(account.user.email).key
        if key in self.known:
            raise EmailTakenError(account.user.email)
        self.known[key] = account

    async def by_email(self, email: str) -> Account | None:
        return self.known.get(Address.of(email).key)

    async def by_id(self, user_id: str) -> Account | None:
        return next((each for each in self.known.values() if each.user.user_id == user_id), None)


class FakeSessions:
    """Sessions of fake users; their ends are heard of at once."""

    def __init__(self, users: FakeUsers, ended: EndedSessions) -> None:
        self._users = users
        self._ended = ended
        self.error: Exception | None = None

    async def begin(self, account: Account, seconds: int) -> str | None:
        assert seconds > 0
        found = await self._users.by_id(account.user.user_id)
        return fresh_id() if found == account else None

    async def end(self, session: Session) -> None:
        if self.error is not None:
            raise self.error
        self._ended.note(End(session.user_id, session.session_id, None))

    async def end_all(self, user_id: str) -> None:
        await self._next_version(user_id, {})

    async def change_password(self, account: Account, password_hash: str, seconds: int) -> Session | None:
        if await self._users.by_id(account.user.user_id) != account:
            return None
        version = await self._next_version(account.user.user_id, {"password_hash": password_hash})
        return Session(fresh_id(), account.user.user_id, version, int(time.time()) + seconds)

    async def _next_version(self, user_id: str, changes: dict[str, Any]) -> int:
        version = 1
        for key, account in self._users.known.items():
            if account.user.user_id == user_id:
                version = account.session_version + 1
                self._users.known[key] = dataclasses.replace(account, session_version=version, **changes)
        self._ended.note(End(user_id, None, version))
        return version


class FakeTokeniser:
    def __init__(self) -> None:
        self.seen: list[str] = []

    async def token(self, card: Card, order_id: str) -> str:
        assert order_id
        self.seen.append(card.card_number)
        return "tok_" + card.card_number[-4:]


class FakeSearch:
    async def search(self, query: Query) -> Results:
        assert query.limit
        return Results((), 0, Facets((), ()))

    async def suggest(self, prefix: str, limit: int = 8) -> tuple[Suggestion, ...]:
        return (Suggestion("A", prefix),)[:limit]

    async def close(self) -> None:
        return None
