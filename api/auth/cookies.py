"""The cookies that say who is calling: hidden from scripts, and bound to this one host where it has TLS."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response

from api.settings import ApiSettings
from topics.settings import Settings, is_loopback

CART_COOKIE = "ecommerce_cart"
TOKEN_COOKIE = "ecommerce_token"  # noqa: S105 (a cookie's name, not a token)
# Browsers take a cookie of such a name only with TLS, without a domain: no other host can have set it.
_HOST_ONLY = "__Host-"


@dataclass(frozen=True)
class Cookies:
    """Names and attributes of the cookies. `secure` where browsers reach the shop over TLS."""

    secure: bool

    @classmethod
    def chosen(cls, settings: Settings, limits: ApiSettings) -> "Cookies":
        """Return what the setting says; without one, only a shop that is on loopback does without TLS."""
        if limits.secure_cookies is not None:
            return cls(limits.secure_cookies)
        return cls(not is_loopback(settings.host) or bool(limits.trusted_proxies))

    def token(self, connection: HTTPConnection) -> str | None:
        """Return the access token that the browser has."""
        return connection.cookies.get(self._name(TOKEN_COOKIE))

    def cart(self, connection: HTTPConnection) -> str | None:
        """Return the guest's cart that the browser has."""
        return connection.cookies.get(self._name(CART_COOKIE))

    def set_token(self, answer: Response, token: str, seconds: int) -> None:
        """Give the browser an access token."""
        self._set(answer, TOKEN_COOKIE, token, seconds)

    def set_cart(self, answer: Response, cart_id: str, seconds: int) -> None:
        """Give the browser a guest's cart."""
        self._set(answer, CART_COOKIE, cart_id, seconds)

    def forget_token(self, answer: Response) -> None:
        """Take the access token back."""
        self._forget(answer, TOKEN_COOKIE)

    def forget_cart(self, answer: Response) -> None:
        """Take the guest's cart back."""
        self._forget(answer, CART_COOKIE)

    def _name(self, plain: str) -> str:
        return _HOST_ONLY + plain if self.secure else plain

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        answer.set_cookie(
            self._name(name), value, max_age=seconds, httponly=True, samesite="lax", secure=self.secure
        )

    def _forget(self, answer: Response, name: str) -> None:
        # A browser takes the deletion, too, only with the attributes that the name demands.
        answer.delete_cookie(self._name(name), httponly=True, samesite="lax", secure=self.secure)


def cookies_of(connection: HTTPConnection) -> Cookies:
    """Return the application's cookies."""
    cookies: Cookies = connection.app.state.cookies
    return cookies


def clear_browser(cookies: Cookies, answer: Response) -> None:
    """Leave nothing of a shopper in a browser: at log-out, on a computer that others may use.

    The directive "cookies" is not among them: it would clear those of every other host of the domain.
    """
    cookies.forget_token(answer)
    cookies.forget_cart(answer)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
