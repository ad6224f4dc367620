"""Guests of a running platform: what only they know, and the cart that everything else knows."""

from api.auth.caller import Caller, guest
from api.auth.guests import GuestCarts
from api.auth.keys import load_or_create
from topics.settings import Settings


class Guests:
    """Guests by their secrets, as the platform's own key tells them."""

    def __init__(self, settings: Settings) -> None:
        self._carts = GuestCarts(load_or_create(settings.data_dir))

    def cart(self, secret: str) -> str:
        """Return the cart of a secret, as the topics name it."""
        return self._carts.cart_of(secret)

    def caller(self, secret: str) -> Caller:
        """Return the guest who has a secret."""
        return guest(self._carts, secret)
