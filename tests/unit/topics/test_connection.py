"""What each client library is told to reach Kafka, and the settings that do not fit together."""

import logging
import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest
from confluent_kafka import Consumer
from faust.auth import SASLCredentials, SSLCredentials
from pydantic import ValidationError

from deploy import cli
from streams.kernel.broker_credentials import broker_credentials
from topics import admin_client
from topics.connection import aiokafka_options, connection, librdkafka_options
from topics.credentials import make
from topics.settings import Settings

CA = Path(certifi.where())
LOGIN: dict[str, Any] = {"kafka_user": "shop", "kafka_password": "a long secret"}


def outside(**fields: Any) -> Settings:
    return Settings(kafka="k1:9092,k2:9092", **fields)


def test_the_embedded_broker_wants_the_password_that_was_made(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, kafka=None, credentials=None)
    made, _ = make(settings.credentials_file)
    assert librdkafka_options(settings) == {
        "bootstrap.servers": settings.kafka_bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "ecommerce",
        "sasl.password": made.kafka,
    }
    assert aiokafka_options(settings) == {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "ecommerce",
        "sasl_plain_password": made.kafka,
    }


def test_before_a_first_start_a_client_can_be_made_too(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, kafka=None, credentials=None)
    Consumer({**librdkafka_options(settings), "group.id": "any", "log_level": 0}).close()


def test_an_external_kafka_wants_nothing_unless_told() -> None:
    settings = outside()
    assert librdkafka_options(settings) == {
        "bootstrap.servers": "k1:9092,k2:9092",
        "security.protocol": "PLAINTEXT",
    }
    assert aiokafka_options(settings) == {
        "bootstrap_servers": "k1:9092,k2:9092",
        "security_protocol": "PLAINTEXT",
    }
    assert broker_credentials(settings) is None


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_login_is_told_to_every_library(mechanism: str, protocol: str) -> None:
    settings = outside(kafka_security_protocol=protocol, kafka_sasl_mechanism=mechanism, **LOGIN)
    told = librdkafka_options(settings)
    assert (told["security.protocol"], told["sasl.mechanism"]) == (protocol, mechanism)
    assert (told["sasl.username"], told["sasl.password"]) == ("shop", "a long secret")
    # The library takes them: it checks names and values.
    Consumer({**told, "group.id": "any", "log_level": 0}).close()
    told = aiokafka_options(settings)
    assert (told["security_protocol"], told["sasl_mechanism"]) == (protocol, mechanism)
    assert (told["sasl_plain_username"], told["sasl_plain_password"]) == ("shop", "a long secret")
    assert ("ssl_context" in told) == (protocol == "SASL_SSL")
    told_faust = broker_credentials(settings)
    assert isinstance(told_faust, SASLCredentials)
    assert (told_faust.protocol.value, told_faust.mechanism.value) == (protocol, mechanism)
    assert (told_faust.username, told_faust.password) == ("shop", "a long secret")
    assert (told_faust.ssl_context is not None) == (protocol == "SASL_SSL")


def test_tls_believes_the_authorities_of_the_file() -> None:
    settings = outside(kafka_security_protocol="SSL", kafka_ca_file=CA)
    assert librdkafka_options(settings)["ssl.ca.location"] == str(CA)
    context = aiokafka_options(settings)["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs()
    assert isinstance(broker_credentials(settings), SSLCredentials)
    of_the_system = outside(kafka_security_protocol="SSL")
    assert "ssl.ca.location" not in librdkafka_options(of_the_system)
    assert aiokafka_options(of_the_system)["ssl_context"].verify_mode == ssl.CERT_REQUIRED


def test_who_logs_in_otherwise_gets_another_admin_client() -> None:
    ways = [
        outside(),
        outside(kafka_security_protocol="SASL_PLAINTEXT", **LOGIN),
        outside(kafka_security_protocol="SASL_PLAINTEXT", **{**LOGIN, "kafka_password": "another"}),
        outside(kafka_security_protocol="SASL_SSL", **LOGIN),
    ]
    clients = [admin_client.client(each) for each in ways]
    assert len({id(each) for each in clients}) == len(ways)
    assert [admin_client.client(each) for each in ways] == clients


def test_the_password_is_never_shown() -> None:
    settings = outside(kafka_security_protocol="SASL_SSL", **LOGIN)
    for told in (settings, connection(settings), broker_credentials(settings)):
        assert "a long secret" not in f"{told!r} {told}"


FITS_NOT = [
    ("USER", {"SECURITY_PROTOCOL": "SASL_SSL", "PASSWORD": "long-secret"}, "is needed"),
    ("PASSWORD", {"SECURITY_PROTOCOL": "SASL_SSL", "USER": "shop"}, "is needed"),
    ("PASSWORD", {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "USER": "shop", "PASSWORD": ""}, "is needed"),
    ("USER", {"USER": "shop"}, "nobody logs in"),
    ("PASSWORD", {"SECURITY_PROTOCOL": "SSL", "PASSWORD": "long-secret"}, "nobody logs in"),
    ("CA_FILE", {"CA_FILE": str(CA)}, "nobody shows a certificate"),
    ("CA_FILE", {"SECURITY_PROTOCOL": "SSL", "CA_FILE": "/nowhere.pem"}, "No such file"),
    ("CA_FILE", {"SECURITY_PROTOCOL": "SSL", "CA_FILE": __file__}, "no certificates"),
    ("SECURITY_PROTOCOL", {"SECURITY_PROTOCOL": "TLS"}, "Input should be"),
    ("SASL_MECHANISM", {"SASL_MECHANISM": "GSSAPI"}, "Input should be"),
]


@pytest.mark.parametrize(("named", "given", "why"), FITS_NOT)
def test_settings_that_do_not_fit_together_are_named(
    named: str, given: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOMMERCE_KAFKA", "k1:9092")
    for name, value in given.items():
        monkeypatch.setenv(f"ECOMMERCE_KAFKA_{name}", value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    told = cli._wrong_setting(refused.value)
    assert told.startswith(f"setting ECOMMERCE_KAFKA_{named}: ")
    assert why in told
    assert "long-secret" not in f"{told} {refused.value}"


@pytest.mark.parametrize(
    ("named", "value"),
    [("SECURITY_PROTOCOL", "SASL_SSL"), ("USER", "shop"), ("PASSWORD", "long-secret"), ("CA_FILE", str(CA))],
)
def test_what_is_of_an_external_kafka_needs_one(
    named: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECOMMERCE_KAFKA", raising=False)
    monkeypatch.setenv(f"ECOMMERCE_KAFKA_{named}", value)
    with pytest.raises(ValidationError, match="ECOMMERCE_KAFKA names none") as refused:
        Settings()
    assert refused.value.errors()[0]["loc"] == (f"kafka_{named.lower()}",)


@pytest.mark.parametrize(("server", "warns"), [("127.0.0.1:9092", False), ("k1:9092", True)])
def test_a_password_in_the_clear_is_warned_of_where_it_leaves_the_machine(
    server: str,
    warns: bool,  # noqa: FBT001 -- of a case
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("aiokafka.conn")
    for each in list(log.filters):
        log.removeFilter(each)
    aiokafka_options(Settings(kafka=server, kafka_security_protocol="SASL_PLAINTEXT", **LOGIN))
    log.warning("Sending username and password in the clear")
    assert bool(caplog.records) is warns
