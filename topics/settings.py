"""Where the platform's servers are: the one place from which every room reads addresses.

`ECOMMERCE_PORT_BASE` moves all ports and `ECOMMERCE_DATA_DIR` all state, so that two copies of the platform
can run side by side. Each server can instead be an external address by its own setting.
"""

import ssl
from enum import IntEnum
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import quote

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from topics.credentials import FILE, Credentials, Role, read

LOOPBACK = "127.0.0.1"
DATABASE = "ecommerce"
REDIS_USER = "ecommerce"
KAFKA_USER = "ecommerce"

SecurityProtocol = Literal["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
_WITH_LOGIN: Final = frozenset({"SASL_PLAINTEXT", "SASL_SSL"})
_WITH_TLS: Final = frozenset({"SSL", "SASL_SSL"})
_REACHED = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 -- named in order not to be shown


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

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_", extra="ignore", hide_input_in_errors=True)

    data_dir: Path = Field(default=Path(".ecommerce"), description="All state of the embedded platform.")
    port_base: int = Field(default=19000, ge=1024, le=65000, description="First of the platform's ports.")
    expose: bool = Field(
        default=False,
        description="Allow `ECOMMERCE_HOST` to be an address that other machines reach: the shop, the "
        "simulated provider, and the metrics, which anybody may read. The embedded servers stay on loopback.",
    )
    host: str = Field(
        default=LOOPBACK,
        description="Address that the platform's own listeners bind to; beyond loopback `ECOMMERCE_EXPOSE` "
        "must allow it.",
    )
    credentials: Path | None = Field(
        default=None,
        description="File of the embedded servers' passwords, made at first start; by default "
        f"`{FILE}` in the data directory.",
    )

    kafka: str | None = Field(default=None, description="External Kafka bootstrap servers (host:port,...).")
    kafka_security_protocol: SecurityProtocol = Field(
        default="PLAINTEXT",
        description="How an external Kafka is reached: PLAINTEXT, SASL_PLAINTEXT (a login, in clear text), "
        "SSL (TLS) or SASL_SSL (TLS and a login, as managed ones want it). The embedded one "
        "always wants a login.",
    )
    kafka_sasl_mechanism: SaslMechanism = Field(
        default="PLAIN",
        description="How one logs in to an external Kafka: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.",
    )
    kafka_user: str | None = Field(
        default=None, validate_default=True, description="User name, or API key, at an external Kafka."
    )
    kafka_password: SecretStr | None = Field(
        default=None, validate_default=True, description="Password, or API secret, at an external Kafka."
    )
    kafka_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authorities whose certificates an external Kafka may show; where none "
        "is set, those of the system.",
    )
    postgres: str | None = Field(default=None, repr=False, description="External PostgreSQL DSN.")
    redis: str | None = Field(default=None, repr=False, description="External Redis URL.")
    elasticsearch: str | None = Field(
        default=None,
        repr=False,
        description="Elasticsearch URL; where none is set, PostgreSQL serves search.",
    )
    elasticsearch_refresh: str = Field(
        default="1s", description="How long until search sees what was written to Elasticsearch; -1: never."
    )
    payment_provider: str | None = Field(
        default=None, repr=False, description="External payment provider URL."
    )
    payment_provider_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Key that the payment provider asks for; the simulated one's is made at first start.",
    )
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

    _role: Role = PrivateAttr(Role.OWNER)

    @field_validator("host", mode="after")
    @classmethod
    def _is_allowed(cls, host: str, info: ValidationInfo) -> str:
        if not is_loopback(host) and not info.data.get("expose"):
            raise ValueError(
                "other machines would reach this address; to allow that, set ECOMMERCE_EXPOSE=true, and let "
                "nobody but a proxy with TLS reach the ports"
            )
        return host

    @field_validator("kafka_security_protocol", mode="after")
    @classmethod
    def _is_of_an_external_kafka(cls, protocol: SecurityProtocol, info: ValidationInfo) -> SecurityProtocol:
        if protocol != "PLAINTEXT":
            _require_external_kafka(info)
        return protocol

    @field_validator("kafka_user", "kafka_password", mode="after")
    @classmethod
    def _fits_the_login(cls, given: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        protocol = info.data.get("kafka_security_protocol")
        if given and (given.get_secret_value() if isinstance(given, SecretStr) else given):
            _require_external_kafka(info)
            if protocol is not None and not is_with_login(protocol):
                raise ValueError(
                    f"nobody logs in where ECOMMERCE_KAFKA_SECURITY_PROTOCOL is {protocol}: set that to "
                    "SASL_SSL or SASL_PLAINTEXT"
                )
            return given
        if protocol is not None and is_with_login(protocol):
            raise ValueError(f"is needed where ECOMMERCE_KAFKA_SECURITY_PROTOCOL is {protocol}")
        return None

    @field_validator("kafka_ca_file", mode="after")
    @classmethod
    def _is_readable(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is None or file == Path():
            return None
        _require_external_kafka(info)
        protocol = info.data.get("kafka_security_protocol")
        if protocol is not None and not is_with_tls(protocol):
            raise ValueError(
                f"nobody shows a certificate where ECOMMERCE_KAFKA_SECURITY_PROTOCOL is {protocol}: set that "
                "to SASL_SSL or SSL"
            )
        try:
            ssl.create_default_context(cafile=file)
        except OSError as error:
            raise ValueError(f"holds no certificates that can be read: {error.strerror or error}") from error
        return file

    def logged_in_as(self, role: Role) -> Self:
        """Return the same settings for a process that logs in to the embedded database as another role."""
        chosen = self.model_copy()
        chosen._role = role  # noqa: SLF001 -- of its own class
        return chosen

    def port(self, offset: PortOffset, index: int = 0) -> int:
        """Return the port of a listener; `index` counts instances of the same kind."""
        return self.port_base + offset + index

    @property
    def credentials_file(self) -> Path:
        """File of the embedded servers' passwords, whether it is there yet or not."""
        return self.credentials or self.data_dir / FILE

    @property
    def server_host(self) -> str:
        """Address of the embedded servers: loopback, wherever the shop is open."""
        return self.host if is_loopback(self.host) else LOOPBACK

    @property
    def kafka_bootstrap(self) -> str:
        """Bootstrap servers, embedded or external."""
        return self.kafka or f"{self.server_host}:{self.port(PortOffset.KAFKA)}"

    @property
    def embedded_kafka_password(self) -> str | None:
        """Password of the embedded broker; None before it was made. Raises CredentialsError as below."""
        return self._made.kafka if self._made else None

    @property
    def postgres_dsn(self) -> str:
        """DSN of the views' database, embedded or external; it may hold a password.

        Raises CredentialsError where the passwords cannot be read.
        """
        if self.postgres:
            return self.postgres
        found = self._made
        return self.postgres_at(self._role.value, found.postgres[self._role] if found else "")

    def postgres_at(self, name: str, password: str, database: str = DATABASE) -> str:
        """Return the DSN of a role on the embedded database."""
        port = self.port(PortOffset.POSTGRES)
        return f"postgresql://{_login(name, password)}{_authority(self.server_host)}:{port}/{database}"

    @property
    def redis_url(self) -> str:
        """URL of Redis, embedded or external; it may hold a password. Raises CredentialsError as above."""
        return self.redis or self.redis_at(REDIS_USER, self._made.redis if self._made else "")

    def redis_at(self, name: str, password: str) -> str:
        """Return the URL of a user of the embedded Redis."""
        port = self.port(PortOffset.REDIS)
        login = _login(name, password) if password else ""
        return f"redis://{login}{_authority(self.server_host)}:{port}/0"

    @property
    def payment_provider_url(self) -> str:
        """URL of the payment provider, simulated or external."""
        return self.payment_provider or f"http://{self._own}:{self.port(PortOffset.PAYMENT_PROVIDER)}"

    @property
    def provider_key(self) -> str | None:
        """Key that the payment provider asks for; None where there is none."""
        if self.payment_provider_key is not None:
            return self.payment_provider_key.get_secret_value()
        return self._made.payment_provider if self._made and not self.payment_provider else None

    @property
    def archive_url(self) -> str | None:
        """Where the archive is, a folder as its absolute path; None where none is kept."""
        if not self.archive or "://" in self.archive:
            return self.archive or None
        return str(Path(self.archive).absolute())

    @property
    def api_url(self) -> str:
        """Public address of the API and the shop."""
        return f"http://{self._own}:{self.port(PortOffset.API)}"

    def own_url(self, port: int, path: str = "") -> str:
        """Return where this machine reaches a listener of the platform itself over HTTP."""
        return f"http://{self._own}:{port}{path}"

    @property
    def _own(self) -> str:
        """Where this machine reaches a listener of the platform itself."""
        return _authority(_REACHED.get(self.host, self.host))

    @property
    def _made(self) -> Credentials | None:
        return read(self.credentials_file)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches a listener on the address; of a name only localhost is known."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_with_login(protocol: SecurityProtocol) -> bool:
    """Tell whether Kafka's clients log in under a security protocol."""
    return protocol in _WITH_LOGIN


def is_with_tls(protocol: SecurityProtocol) -> bool:
    """Tell whether Kafka's clients speak TLS under a security protocol."""
    return protocol in _WITH_TLS


def _require_external_kafka(info: ValidationInfo) -> None:
    if not info.data.get("kafka"):
        raise ValueError("is of an external Kafka, and ECOMMERCE_KAFKA names none")


def _authority(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _login(name: str, password: str) -> str:
    return f"{name}:{quote(password, safe='')}@" if password else f"{name}@"


@lru_cache
def settings() -> Settings:
    """Return this process's settings, read once."""
    return Settings()
