"""Guests' carts: a guest's browser or program holds a secret, and all else knows the cart by its keyed hash.

Topics, views, logs and archives name the cart by that hash. Who reads them learns nothing that opens a cart
or an order: what is read there and sent back as `X-Cart-Id` is no secret of any cart.
"""

import hashlib
import hmac
from uuid import UUID, uuid4

from api.auth.keys import SigningKey

_RANDOM_UUID, _DERIVED_UUID = 4, 5


def new_guest_secret() -> str:
    """Return a new guest's secret: 122 random bits, which is what protects the cart and its orders."""
    return str(uuid4())


def is_guest_secret(given: str) -> bool:
    """Whether a text can be a guest's secret: a random UUID, which no id of a cart is."""
    try:
        return UUID(given).version == _RANDOM_UUID
    except ValueError:
        return False


class GuestCarts:
    """Knows the cart of a guest's secret, by the platform's key: every instance knows the same."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key.secret("guest carts")

    def cart_of(self, secret: str) -> str:
        """Return the id of a secret's cart."""
        digest = hmac.digest(self._key, UUID(secret).bytes, hashlib.sha256)
        return str(UUID(bytes=digest[:16], version=_DERIVED_UUID))
