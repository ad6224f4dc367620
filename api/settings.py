"""What can be tuned about the API itself; addresses are in `topics.settings`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """Limits and lifetimes; every field is read from `ECOMMERCE_API_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_API_", extra="ignore")

    max_body_bytes: int = Field(default=1024 * 1024, ge=1024, description="Largest request body, in bytes.")
    max_wait_seconds: float = Field(
        default=30.0, gt=0, le=120, description="Longest time that `Prefer: wait` is granted."
    )
    token_seconds: int = Field(default=3600, ge=60, description="Lifetime of an access token.")
    login_limit: str = Field(default="10/minute", description="Attempts per account and client address.")
    client_limit: str = Field(
        default="100/minute", description="Logins and registrations per client address."
    )
    follow_seconds: float = Field(
        default=120.0, gt=0, description="How long an unwaited command's outcome is looked out for."
    )
    status_seconds: int = Field(default=86_400, ge=60, description="How long a command's status is kept.")
    idempotency_seconds: int = Field(
        default=86_400, ge=60, description="How long the answer to an Idempotency-Key is kept."
    )
    ping_seconds: float = Field(
        default=0.5, gt=0, le=10, description="How long services get to answer a health ping."
    )
    cors_origins: tuple[str, ...] = Field(default=(), description="Origins allowed by CORS; none by default.")
    secure_cookies: bool = Field(default=False, description="Send cookies over HTTPS only.")
    open_ops: bool = Field(
        default=False,
        description="Show the ops pages without a staff login; for a platform on one's own machine.",
    )
