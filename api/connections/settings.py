"""How many connections a server process holds, and how long each may take."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConnectionSettings(BaseSettings):
    """Connections of an API process; every field is read from `ECOMMERCE_HTTP_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_HTTP_", extra="ignore")

    connections: int = Field(
        default=4_000,
        ge=1,
        description="Most connections at once, or what the limit of open files leaves; more are told 503.",
    )
    connections_per_address: int = Field(
        default=500,
        ge=1,
        description="Most connections of a client's address (of IPv6: of its /64); more are told 429. "
        "Trusted proxies and unlimited clients are not counted.",
    )
    header_bytes: int = Field(
        default=32 * 1024, ge=1024, description="Largest request line and headers together; more is 431."
    )
    header_count: int = Field(default=100, ge=10, description="Most headers of a request; more is 431.")
    header_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Longest time from a request's begin to the end of its headers; then 408.",
    )
    body_seconds: float = Field(
        default=30.0, gt=0, description="Longest time from there to the end of its body; then 408."
    )
    idle_seconds: int = Field(
        default=5, ge=1, description="How long a connection is kept between two requests."
    )
    unread_seconds: float = Field(
        default=20.0,
        gt=0,
        description="How long a client may leave an answer or an event stream unread; then it is cut off.",
    )
    pipelined_requests: int = Field(
        default=16, ge=1, description="Most requests that a client may send ahead of their answers."
    )
