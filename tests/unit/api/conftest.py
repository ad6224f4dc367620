"""The whole application on fakes."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from limits.aio.storage import MemoryStorage

from api.admission.gate import Gate
from api.app import create_app
from api.auth.ended import EndedSessions
from api.auth.guests import GuestCarts
from api.auth.keys import SigningKey, load_or_create
from api.auth.limits import AttemptLimits
from api.auth.passwords import Passwords
from api.auth.service import Accounts
from api.auth.tokens import Role, Tokens, User
from api.cart.bounds import CartBounds
from api.cart.recent import RecentCarts
from api.cart.service import CartService
from api.cart.view import CartView
from api.checkout.service import Checkout
from api.commands import Commands
from api.health.services import ServicesHealthCheck
from api.idempotency import IdempotencyStore
from api.inventory.service import InventoryService
from api.ops.service import Ops
from api.order.progress import OrderProgress
from api.order.service import OrderService
from api.outcomes import LETTERS, LISTENED
from api.product.service import ProductCommands
from api.services import Services
from api.settings import ApiSettings
from api.tail import Dispatcher
from api.views import Views
from schemas.envelope import fresh_id
from tests.unit.api.fakes import (
    FakeBroker,
    FakeCarts,
    FakeCatalogue,
    FakeOrders,
    FakeRedis,
    FakeSearch,
    FakeSessions,
    FakeStock,
    FakeTokeniser,
    FakeUsers,
    product,
)
from topics.settings import Settings


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return load_or_create(tmp_path_factory.mktemp("keys"))


@dataclass
class World:
    """The fakes behind an application, and the services on them."""

    redis: FakeRedis
    tail: Dispatcher
    broker: FakeBroker
    catalogue: FakeCatalogue
    carts: FakeCarts
    orders: FakeOrders
    stock: FakeStock
    users: FakeUsers
    sessions: FakeSessions
    tokeniser: FakeTokeniser
    services: Services

    def cart_of(self, headers: dict[str, str]) -> str:
        """Return the cart of a guest who sends these headers, as the topics name it."""
        return self.services.guest_carts.cart_of(headers["X-Cart-Id"])

    def authorised(self, role: Role = Role.CUSTOMER, user_id: str | None = None) -> dict[str, str]:
        user = User(user_id or fresh_id(), "ada@example.com", role)
        return {"Authorization": f"Bearer {self.services.tokens.issue(user)}"}


@pytest.fixture
def limits() -> ApiSettings:
    return ApiSettings(ping_seconds=0.3, follow_seconds=5, unlimited_clients=(ip_network("127.0.0.0/8"),))


@pytest.fixture
def world(signing_key: SigningKey, limits: ApiSettings, tmp_path: Path) -> World:
    settings = Settings(data_dir=tmp_path)
    redis, tail = FakeRedis(), Dispatcher(LISTENED, LETTERS)
    broker, catalogue, carts = FakeBroker(tail), FakeCatalogue(product("A"), product("B", 100)), FakeCarts()
    orders, stock, tokeniser = FakeOrders(), FakeStock(), FakeTokeniser()
    users = FakeUsers(orders.claims)
    as_redis = cast("Any", redis)
    gate = Gate(limits)
    commands = Commands(broker, tail, as_redis, limits, "main", gate=gate)
    cart_service = CartService(
        commands, CartView(carts, catalogue, "GBP"), catalogue, CartBounds(RecentCarts(carts), limits)
    )
    checkout = Checkout(commands, orders, tokeniser, "GBP", cart_service.read)
    order_service = OrderService(orders, checkout, commands, "GBP")
    ended = EndedSessions(limits.session_patience_seconds)
    ended.heard((), time.monotonic() + 3600)
    sessions = FakeSessions(users, ended)
    tokens = Tokens(signing_key, limits.token_seconds, ended)
    attempts = AttemptLimits(MemoryStorage(), limits)
    accounts = Accounts(users, sessions, Passwords(), tokens, attempts, cart_service)
    services = Services(
        settings=settings,
        options=limits,
        signing_key=signing_key,
        tokens=tokens,
        ended=ended,
        guest_carts=GuestCarts(signing_key),
        accounts=accounts,
        catalogue=catalogue,
        search=FakeSearch(),
        products=ProductCommands(commands, "GBP"),
        carts=cart_service,
        checkout=checkout,
        orders=order_service,
        progress=OrderProgress(order_service, orders, tail),
        inventory=InventoryService(stock, commands),
        commands=commands,
        views=cast("Views", None),
        idempotency=IdempotencyStore(as_redis, b"secret", limits),
        ops=Ops(settings, cast("Views", None), lambda _settings: []),
        services_health=ServicesHealthCheck(broker, tail, limits.ping_seconds, frozenset({"worker"})),
        readiness_checks={},
        gate=gate,
    )
    return World(redis, tail, broker, catalogue, carts, orders, stock, users, sessions, tokeniser, services)


@pytest.fixture
async def client(world: World, limits: ApiSettings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(world.services.settings, limits, world.services)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as opened:
        yield opened
    await world.services.commands.close()
