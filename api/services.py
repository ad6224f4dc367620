"""The service objects behind all routes and pages; tests give their own."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.admission.gate import Gate
from api.auth.ended import EndedSessions
from api.auth.guests import GuestCarts
from api.auth.keys import SigningKey
from api.auth.service import Accounts
from api.auth.tokens import Tokens
from api.cart.service import CartService
from api.checkout.service import Checkout
from api.commands import Commands
from api.health.checks import Check
from api.health.services import ServicesHealthCheck
from api.idempotency import IdempotencyStore
from api.inventory.service import InventoryService
from api.ops.service import Ops
from api.order.progress import OrderProgress
from api.order.service import OrderService
from api.product.queries import Catalogue
from api.product.service import ProductCommands
from api.settings import ApiSettings
from api.views import Views
from sinks.search.backend import SearchBackend
from topics.settings import Settings
from topics.standing import StandingStill


@dataclass(frozen=True)
class Services:
    """Everything that a route may need; each hides its servers behind typed methods."""

    settings: Settings
    options: ApiSettings
    signing_key: SigningKey
    tokens: Tokens
    ended: EndedSessions
    guest_carts: GuestCarts
    accounts: Accounts
    catalogue: Catalogue
    search: SearchBackend
    products: ProductCommands
    carts: CartService
    checkout: Checkout
    orders: OrderService
    progress: OrderProgress
    inventory: InventoryService
    commands: Commands
    views: Views
    idempotency: IdempotencyStore
    ops: Ops
    services_health: ServicesHealthCheck
    readiness_checks: dict[str, Check]
    gate: Gate
    standing: StandingStill | None = None


async def services_of(request: Request) -> Services:
    """Return the application's services."""
    services: Services = request.app.state.services
    return services


Use = Annotated[Services, Depends(services_of)]
