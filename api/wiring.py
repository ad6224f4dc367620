"""Building the services on real servers, and closing them again."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from redis.asyncio import BlockingConnectionPool, Redis

from api.admission.gate import Gate
from api.admission.watch import watching
from api.auth.ended import EndedSessions
from api.auth.following import Following
from api.auth.guests import GuestCarts
from api.auth.keys import load_or_create
from api.auth.limits import AttemptLimits
from api.auth.passwords import Passwords
from api.auth.service import Accounts
from api.auth.sessions import PostgresSessions
from api.auth.tokens import Tokens
from api.auth.users import PostgresUsers
from api.cart.bounds import CartBounds
from api.cart.recent import RecentCarts
from api.cart.service import CartService
from api.cart.view import CartView, RedisCarts
from api.checkout.payments import ProviderTokeniser
from api.checkout.service import Checkout
from api.commands import Commands
from api.ends import TopicEnds
from api.health.checks import moving
from api.health.services import ServicesHealthCheck
from api.health.standing import watching_readers
from api.idempotency import IdempotencyStore
from api.inventory.queries import PostgresStock
from api.inventory.service import InventoryService
from api.ops.service import Ops
from api.order.progress import OrderProgress
from api.order.queries import PostgresOrders
from api.order.service import OrderService
from api.outcomes import LETTERS, LISTENED, READS
from api.product.cache import CachedCatalogue
from api.product.held import HeldCatalogue
from api.product.queries import PostgresCatalogue
from api.product.service import ProductCommands
from api.redis_line import RedisLine
from api.services import Services
from api.settings import ApiSettings
from api.tail import Tail
from api.views import Views, open_pool
from connectors.health.responder import PingResponder
from schemas.domains import processes
from sinks.search.select import search_backend
from topics.producer import MessageProducer
from topics.product import PRODUCT_EVENTS
from topics.registry import CART_UPDATED
from topics.settings import Settings
from topics.standing import StandingStill

_REDIS_SECONDS = 2.0
_REDIS_CONNECTIONS = 64
EXPECTED_SERVICES = frozenset({"api", "worker", "sink", *(process.name for process in processes())})


def open_redis(url: str) -> Redis:
    """Return a client whose commands wait for a free connection: a burst must not look like an outage."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_REDIS_CONNECTIONS,
        timeout=_REDIS_SECONDS,
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
    )
    return Redis.from_pool(pool)


@asynccontextmanager
async def open_services(settings: Settings, limits: ApiSettings) -> AsyncIterator[Services]:
    """Connect to every server that the API needs, and disconnect in the end."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings))
        redis = open_redis(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        strings = RedisLine(settings.redis_url, _REDIS_SECONDS)
        stack.push_async_callback(strings.aclose)
        search = search_backend(settings)
        stack.push_async_callback(search.close)
        provider = await stack.enter_async_context(
            ProviderTokeniser.client(settings.payment_provider_url, settings.provider_key)
        )
        producer = await stack.enter_async_context(MessageProducer(settings, "ecommerce-api"))
        tail = await stack.enter_async_context(Tail(settings, LISTENED, LETTERS))
        instance = f"{socket.gethostname()}-{os.getpid()}"
        await stack.enter_async_context(PingResponder(settings, "api", instance, healthy=tail.reading))
        gate = Gate(limits)
        standing = StandingStill(limits.standstill_seconds)
        watch = watching(gate, settings, limits.watched_groups, limits.watch_seconds)
        await stack.enter_async_context(watch)
        await stack.enter_async_context(watching_readers(standing, settings, limits.followed_groups, READS))
        commands = Commands(
            producer, tail, strings, limits, settings.tenant, gate=gate, ends=TopicEnds(settings)
        )
        stack.push_async_callback(commands.close)

        views = Views(pool)
        catalogue = HeldCatalogue(CachedCatalogue(PostgresCatalogue(views), strings))
        for topic in PRODUCT_EVENTS:
            tail.listen(topic, partial(catalogue.hear, topic))
        orders = PostgresOrders(views)
        recent_carts = RecentCarts(RedisCarts(strings))
        tail.listen(CART_UPDATED, recent_carts.hear)
        cart_view = CartView(recent_carts, catalogue, settings.currency)
        carts = CartService(commands, cart_view, catalogue, CartBounds(recent_carts, limits))
        key = load_or_create(settings.data_dir)
        ended = EndedSessions(limits.session_patience_seconds)
        following = Following(settings.postgres_dsn, ended, limits.token_seconds)
        await stack.enter_async_context(following.running())
        tokens = Tokens(key, limits.token_seconds, ended)
        attempts = AttemptLimits.on_redis(settings.redis_url, redis, limits)
        checkout = Checkout(commands, orders, ProviderTokeniser(provider), settings.currency, carts.read)
        order_service = OrderService(orders, checkout, commands, settings.currency)
        yield Services(
            settings=settings,
            options=limits,
            signing_key=key,
            tokens=tokens,
            ended=ended,
            guest_carts=GuestCarts(key),
            accounts=Accounts(
                PostgresUsers(pool),
                PostgresSessions(pool, ended),
                Passwords(limits.waiting_logins),
                tokens,
                attempts,
                carts,
            ),
            catalogue=catalogue,
            search=search,
            products=ProductCommands(commands, settings.currency),
            carts=carts,
            checkout=checkout,
            orders=order_service,
            progress=OrderProgress(order_service, orders, tail),
            inventory=InventoryService(PostgresStock(views), commands),
            commands=commands,
            views=views,
            idempotency=IdempotencyStore(strings, key.secret("idempotency"), limits),
            ops=Ops(settings, views),
            services_health=ServicesHealthCheck(producer, tail, limits.ping_seconds, EXPECTED_SERVICES),
            gate=gate,
            readiness_checks={
                "kafka": tail.check,
                "postgres": lambda: views.row("SELECT 1"),
                "redis": redis.ping,
                "dataflow": moving(standing, limits.watched_groups),
            },
            standing=standing,
        )
