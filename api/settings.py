"""What can be tuned about the API itself; addresses are in `topics.settings`."""

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.domains import processes

_GROUPS = tuple(process.group for process in processes() if process.group)


class ApiSettings(BaseSettings):
    """Limits and lifetimes; every field is read from `ECOMMERCE_API_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_API_", extra="ignore")

    max_body_bytes: int = Field(
        default=64 * 1024,
        ge=1024,
        description="Largest request body, in bytes; where staff edit dead letters, it is at least 1 MiB.",
    )
    max_wait_seconds: float = Field(
        default=30.0, gt=0, le=120, description="Longest time that `Prefer: wait` is granted."
    )
    token_seconds: int = Field(
        default=3600, ge=60, le=86_400, description="Lifetime of an access token, the same in every process."
    )
    session_patience_seconds: float = Field(
        default=15.0,
        ge=2,
        description="Tokens are refused (503) where it was not heard for so long which sessions have ended.",
    )
    login_limit: str = Field(default="10/minute", description="Attempts per account and client address.")
    account_limit: str = Field(
        default="30/15 minutes",
        description="Attempts per account over all client addresses that have not yet logged in to it.",
    )
    waiting_logins: int = Field(
        default=32,
        ge=1,
        description="Log-ins and registrations that may wait for the hashing of a password; others get 503.",
    )
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
    backlog_records: int = Field(
        default=100_000,
        ge=1,
        description="Commands are refused while the dataflow has so many records yet to read.",
    )
    backlog_seconds: float = Field(
        default=5.0,
        gt=0,
        description="Commands are refused while a new record would lie in a topic for so long.",
    )
    in_hand_commands: int = Field(
        default=128,
        ge=1,
        description="Commands that a process works on at once, from reading to sending; more are refused.",
    )
    sending_commands: int = Field(
        default=1_000, ge=1, description="Commands that may be on their way to the broker at once."
    )
    sending_seconds: float = Field(
        default=5.0,
        gt=0,
        description="Commands are refused while the broker has not acknowledged one for so long.",
    )
    unanswered_commands: int = Field(
        default=50_000, ge=1, description="Commands whose outcome may be looked out for at once."
    )
    loop_seconds: float = Field(
        default=1.0, gt=0, description="Commands are refused while this process is so late with its work."
    )
    reopen_share: float = Field(
        default=0.5, gt=0, lt=1, description="Share of a limit below which commands are admitted again."
    )
    watched_groups: tuple[str, ...] = Field(
        default=("ecommerce.streams", *_GROUPS),
        description="Consumer groups whose backlog counts, as a JSON list.",
    )
    followed_groups: tuple[str, ...] = Field(
        default=(
            "ecommerce.streams",
            *_GROUPS,
            "ecommerce.sink.postgres",
            "ecommerce.sink.redis",
        ),
        description="Consumer groups that readiness names where they stand still, as a JSON list. The API is "
        "ready as long as those of `API_WATCHED_GROUPS` move.",
    )
    standstill_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How long a partition may stand still, with records waiting in it, before the API is not "
        "ready.",
    )
    watch_seconds: float = Field(default=0.5, gt=0, description="Time between two looks at the backlog.")
    ping_seconds: float = Field(
        default=0.5, gt=0, le=10, description="How long services get to answer a health ping."
    )
    cors_origins: tuple[str, ...] = Field(default=(), description="Origins allowed by CORS; none by default.")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description="Networks of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, "
        "as a JSON list; none by default.",
    )
    secure_cookies: bool | None = Field(
        default=None,
        description="Send cookies over HTTPS only, under names that bind them to the host. Without a value: "
        "wherever the API listens beyond loopback or has trusted proxies.",
    )
    client_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share of the commands in hand, and of the unanswered ones, that one client address may "
        "have (of IPv6: its /64); then it gets 429.",
    )
    owner_commands: int = Field(
        default=32,
        ge=1,
        description="Commands that one cart or user may have going, or without an outcome; then 429.",
    )
    streams: int = Field(default=2_000, ge=1, description="Event streams of a process at once; then 503.")
    client_streams: int = Field(
        default=200, ge=1, description="Event streams of one client address at once; then 429."
    )
    owner_streams: int = Field(
        default=16, ge=1, description="Event streams of one cart or user at once; then 429."
    )
    public_seconds: int = Field(
        default=2,
        ge=0,
        le=86_400,
        description="How long browsers and caches may keep a product, a list of them or what a search found.",
    )
    new_carts: str = Field(
        default="120/minute", description="Carts that one client address may begin; then 429."
    )
    cart_lines: int = Field(
        default=200,
        ge=1,
        le=2_000,
        description="Lines of a cart until which its shopper may add more; other sources keep to the "
        "dataflow's limit.",
    )
    kept_answer_bytes: int = Field(
        default=16 * 1024,
        ge=1024,
        description="Largest answer that is kept for an Idempotency-Key, compressed; of a larger one is kept "
        "that it was given.",
    )
    unlimited_clients: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description="Networks whose clients keep to no share, as a JSON list: for a load generator, or a "
        "warehouse behind one address.",
    )
    open_ops: bool = Field(
        default=False,
        description="Show the ops pages without a staff login; for a platform on one's own machine.",
    )


class ViewsSettings(BaseSettings):
    """An API process at the database of views; every field is read from `ECOMMERCE_VIEWS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_VIEWS_", extra="ignore")

    connections: int = Field(
        default=8, ge=1, le=1000, description="Most connections of an API process, apart from search's four."
    )
    statement_seconds: float = Field(
        default=10.0, ge=0.1, description="Longest time of a query; the server ends it then, too."
    )
    wait_seconds: float = Field(
        default=5.0, gt=0, description="Longest wait for a free connection; then the answer is 503."
    )
