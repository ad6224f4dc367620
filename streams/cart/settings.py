"""The rules of carts, as settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.bounds import LINES, PIECES, PRICE
from streams.cart.policy import CartPolicy

_DEFAULTS = CartPolicy()


class CartSettings(BaseSettings):
    """Every field is read from `ECOMMERCE_CART_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_CART_", extra="ignore")

    max_lines: int = Field(
        default=_DEFAULTS.max_lines, ge=1, le=LINES.most, description="Most lines of a cart."
    )
    max_quantity: int = Field(
        default=_DEFAULTS.max_quantity, ge=1, le=PIECES.most, description="Most pieces of a line."
    )
    max_line_id: int = Field(
        default=_DEFAULTS.max_line_id, ge=1, description="Longest line id, in characters."
    )
    max_agreed_price: int = Field(
        default=_DEFAULTS.max_agreed_price,
        ge=0,
        le=PRICE.most,
        description="Highest agreed unit price, in minor units.",
    )
    idle_ms: int = Field(
        default=_DEFAULTS.idle_ms, ge=1000, description="Idle time after which a cart expires, in ms."
    )
    retention_ms: int = Field(
        default=_DEFAULTS.retention_ms,
        ge=1000,
        description="How long an empty, expired or merged cart stays in the table, in ms.",
    )
    checkout_ms: int = Field(
        default=_DEFAULTS.checkout_ms, ge=1000, description="Time within which a checkout ends, in ms."
    )
    remembered_commands: int = Field(
        default=_DEFAULTS.remembered_commands, ge=1, description="Answered commands kept for recognition."
    )
    remembered_orders: int = Field(
        default=_DEFAULTS.remembered_orders, ge=1, description="Ended checkouts kept for recognition."
    )

    def policy(self) -> CartPolicy:
        """Return the rules as the handlers take them."""
        return CartPolicy(**self.model_dump())
