"""Where the platform's servers are: the one place from which every room reads addresses.

`ECOMMERCE_PORT_BASE` moves all ports and `ECOMMERCE_DATA_DIR` all state, so that two copies of the platform
can run side by side. Each server can instead be an external address by its own setting.
"""

from enum import IntEnum
from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PortOffset(IntEnum):
    """Distance of each listener from `port_base`."""

    KAFKA = 0
    KAFKA_CONTROLLER = 1
    POSTGRES = 2
    REDIS = 3
    PAYMENT_PROVIDER = 4
    API = 5
    ELASTICSEARCH = 6
    ELASTICSEARCH_TRANSPORT = 7
    WORKER_METRICS = 10
    SINK_METRICS = 30
    OUTBOX_METRICS = 40
    ARCHIVE_METRICS = 41


class Settings(BaseSettings):
    """Addresses and directories; every field is read from `ECOMMERCE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_", extra="ignore")

    data_dir: Path = Field(default=Path(".ecommerce"), description="All state of the embedded platform.")
    port_base: int = Field(default=19000, ge=1024, le=65000, description="First of the platform's ports.")
    host: str = Field(default="127.0.0.1", description="Address that the embedded listeners bind to.")

    kafka: str | None = Field(default=None, description="External Kafka bootstrap servers (host:port,...).")
    postgres: str | None = Field(default=None, description="External PostgreSQL DSN.")
    redis: str | None = Field(default=None, description="External Redis URL.")
    elasticsearch: str | None = Field(
        default=None, description="Elasticsearch URL; where none is set, PostgreSQL serves search."
    )
    elasticsearch_refresh: str = Field(
        default="1s", description="How long until search sees what was written to Elasticsearch; -1: never."
    )
    payment_provider: str | None = Field(default=None, description="External payment provider URL.")
    archive: str | None = Field(
        default=None,
        description="Where every topic is kept as Parquet files: a folder, or `s3://bucket/prefix` with the "
        "usual `AWS_` variables. None is kept where it is not set.",
    )
    archive_seconds: float = Field(
        default=60.0, gt=0, description="How long records are gathered for the archive's next files."
    )

    partitions: int = Field(default=4, ge=1, le=1000, description="Partitions of every co-partitioned topic.")
    replication: int = Field(default=1, ge=1, le=9, description="Replication factor of every topic.")
    tenant: str = Field(default="main", description="Tenant written into every envelope.")
    currency: str = Field(default="GBP", pattern="^[A-Z]{3}$", description="The shop's ISO 4217 currency.")

    def port(self, offset: PortOffset, index: int = 0) -> int:
        """Return the port of a listener; `index` counts instances of the same kind."""
        return self.port_base + offset + index

    @property
    def kafka_bootstrap(self) -> str:
        """Bootstrap servers, embedded or external."""
        return self.kafka or f"{self.host}:{self.port(PortOffset.KAFKA)}"

    @property
    def postgres_dsn(self) -> str:
        """DSN of the views' database, embedded or external."""
        port = self.port(PortOffset.POSTGRES)
        return self.postgres or f"postgresql://ecommerce@{self.host}:{port}/ecommerce"

    @property
    def redis_url(self) -> str:
        """URL of Redis, embedded or external."""
        return self.redis or f"redis://{self.host}:{self.port(PortOffset.REDIS)}/0"

    @property
    def payment_provider_url(self) -> str:
        """URL of the payment provider, simulated or external."""
        return self.payment_provider or f"http://{self.host}:{self.port(PortOffset.PAYMENT_PROVIDER)}"

    @property
    def archive_url(self) -> str | None:
        """Where the archive is, a folder as its absolute path; None where none is kept."""
        if not self.archive or "://" in self.archive:
            return self.archive or None
        return str(Path(self.archive).absolute())

    @property
    def api_url(self) -> str:
        """Public address of the API and the shop."""
        return f"http://{self.host}:{self.port(PortOffset.API)}"


@lru_cache
def settings() -> Settings:
    """Return this process's settings, read once."""
    return Settings()
