"""The rules of orders, as settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.order.policy import OrderPolicy

_DEFAULTS = OrderPolicy()


class OrderSettings(BaseSettings):
    """Every field is read from `ECOMMERCE_ORDER_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_ORDER_", extra="ignore")

    retention_ms: int = Field(
        default=_DEFAULTS.retention_ms,
        ge=60_000,
        description="How long a cancelled or refunded order stays in the table, in ms.",
    )
    refund_window_ms: int = Field(
        default=_DEFAULTS.refund_window_ms,
        ge=60_000,
        description="How long a delivered order can be refunded, in ms.",
    )
    remembered_commands: int = Field(
        default=_DEFAULTS.remembered_commands, ge=1, description="Answered commands kept for recognition."
    )

    def policy(self) -> OrderPolicy:
        """Return the rules as the handlers take them."""
        return OrderPolicy(**self.model_dump())
