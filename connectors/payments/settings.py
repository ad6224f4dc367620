"""How the gateway treats the provider, as settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class GatewaySettings(BaseSettings):
    """Every field is read from `ECOMMERCE_GATEWAY_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_GATEWAY_", extra="ignore")

    in_flight: int = Field(default=256, ge=1, le=10_000, description="Most instructions under way at once.")
    timeout_ms: int = Field(
        default=10_000, ge=1, description="Longest wait for the provider's answer, in ms."
    )
    connect_timeout_ms: int = Field(default=2_000, ge=1, description="Longest wait for a connection, in ms.")
    breaker_threshold: int = Field(
        default=5, ge=1, description="Failures in a row after which the provider is left alone."
    )
    breaker_open_ms: int = Field(
        default=5_000,
        ge=1,
        description="How long the provider is left alone before it is tried again, in ms.",
    )
    commit_ms: int = Field(default=500, ge=1, description="Time between two commits of the position, in ms.")
    captures_apart_ms: int = Field(
        default=50,
        ge=0,
        description="Least time between requests for captures, in ms; what comes meanwhile goes together.",
    )
