"""The rules of payment, as settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.payment.policy import PaymentPolicy

_DEFAULTS = PaymentPolicy()


class PaymentSettings(BaseSettings):
    """Every field is read from `ECOMMERCE_PAYMENT_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_PAYMENT_", extra="ignore")

    first_retry_ms: int = Field(
        default=_DEFAULTS.first_retry_ms, ge=1, description="Wait before the second attempt, in ms."
    )
    longest_retry_ms: int = Field(
        default=_DEFAULTS.longest_retry_ms, ge=1, description="Longest wait between two attempts, in ms."
    )
    answer_ms: int = Field(
        default=_DEFAULTS.answer_ms, ge=1, description="Time for the gateway's first answer, in ms."
    )
    longest_answer_ms: int = Field(
        default=_DEFAULTS.longest_answer_ms, ge=1, description="Longest time for an answer, in ms."
    )
    retention_ms: int = Field(
        default=_DEFAULTS.retention_ms, ge=1, description="How long a payment is kept after its end, in ms."
    )
    refund_window_ms: int = Field(
        default=_DEFAULTS.refund_window_ms,
        ge=1,
        description="How long a captured payment is kept after the delivery, in ms; no less than the order.",
    )

    def policy(self) -> PaymentPolicy:
        """Return the rules as the handlers take them."""
        return PaymentPolicy(**self.model_dump())
