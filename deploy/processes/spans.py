"""The rules over settings of several rooms: those of the flows, and what the API relies on."""

from api.settings import ApiSettings
from streams.cart.settings import CartSettings
from streams.spans import Span, Time, check, spans

_SECOND_MS = 1000


def check_all() -> None:
    """Raise SettingsConflictError where settings do not go together; it names them."""
    api, cart = ApiSettings(), CartSettings()
    kept = api.idempotency_seconds
    check(
        (
            *spans(),
            Span(
                Time("ECOMMERCE_API_IDEMPOTENCY_SECONDS", kept, kept * _SECOND_MS),
                Time("ECOMMERCE_CART_RETENTION_MS", cart.retention_ms, cart.retention_ms),
                "a cart forgets the orders that a repeated checkout may still name",
            ),
        )
    )
