"""How long the PostgreSQL sink waits for its server, as settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PostgresSinkSettings(BaseSettings):
    """One connection per sink; every field is read from `ECOMMERCE_POSTGRES_SINK_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_POSTGRES_SINK_", extra="ignore")

    connect_seconds: float = Field(default=5.0, gt=0, description="Longest wait for a connection.")
    statement_seconds: float = Field(
        default=60.0,
        ge=1,
        description="Longest time of a statement, and of a pause in a transaction; then it is tried again.",
    )
