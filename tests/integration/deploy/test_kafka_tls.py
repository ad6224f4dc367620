"""A Kafka elsewhere, as managed ones are: TLS by an authority of its own, and a login by SCRAM."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import certifi
import pytest
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from deploy.embedded.kafka import kafka
from deploy.processes.process import Process
from sinks.verify.spans import spans
from tests import kafka_elsewhere
from tests.eventually import eventually
from tests.stack import Child, Stack
from topics import admin
from topics.connection import librdkafka_options
from topics.credentials import KafkaLoginError
from topics.login import brokers
from topics.registry import TOPICS
from topics.settings import PortOffset, Settings

PASSWORD = "a password of many words"
OUTSIDE = """
listeners={listeners},OUTSIDE://127.0.0.1:{port}
advertised.listeners={advertised},OUTSIDE://127.0.0.1:{port}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,OUTSIDE:SASL_SSL
listener.name.outside.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.outside.scram-sha-512.sasl.jaas.config={module} required;
listener.name.outside.ssl.keystore.type=PEM
listener.name.outside.ssl.keystore.key={key}
listener.name.outside.ssl.keystore.certificate.chain={certificate}
"""
MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"


def certificate() -> tuple[str, str]:
    """Return a key, and a certificate of 127.0.0.1 that is its own authority, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Kafka elsewhere")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that reach the listener of a broker of this module's own."""
    stack = Stack(tmp_path_factory.mktemp("elsewhere"))
    here = stack.settings
    # A port of the same base that no server of this broker's has.
    port, server = here.port(PortOffset.ARCHIVE_METRICS), kafka(here)
    assert isinstance(server, Process)
    key, chain = certificate()
    ca_file = here.data_dir / "authority.pem"
    ca_file.write_text(chain)

    def prepare(report: Any) -> None:
        server.prepare(report)
        file = here.data_dir / "kafka" / "server.properties"
        told = dict(line.split("=", 1) for line in file.read_text().splitlines())
        lines = OUTSIDE.format(
            listeners=told["listeners"],
            advertised=told["advertised.listeners"],
            port=port,
            module=MODULE,
            key=key.replace("\n", "\\n"),
            certificate=chain.replace("\n", "\\n"),
        )
        with file.open("a") as properties:
            properties.write(lines)

    child = Child(replace(server, prepare=prepare), here.data_dir / "logs" / "kafka.log")
    child.start()
    try:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192)
        asked = UserScramCredentialUpsertion("shop", info, PASSWORD.encode())
        client = AdminClient(librdkafka_options(here))
        for made in client.alter_user_scram_credentials([asked]).values():
            made.result()
        yield Settings(
            data_dir=here.data_dir / "other",
            port_base=here.port_base,
            kafka=f"127.0.0.1:{port}",
            kafka_security_protocol="SASL_SSL",
            kafka_sasl_mechanism="SCRAM-SHA-512",
            kafka_user="shop",
            kafka_password=SecretStr(PASSWORD),
            kafka_ca_file=ca_file,
        )
    finally:
        child.stop()


def lets_in(settings: Settings) -> bool:
    try:
        return brokers(settings) == 1
    except KafkaLoginError:
        return False


def test_every_client_logs_in(elsewhere: Settings, tmp_path: Path) -> None:
    # Who may log in is told through the cluster's own log.
    eventually(lambda: lets_in(elsewhere))
    admin.create(elsewhere)
    assert asyncio.run(spans(elsewhere, list(TOPICS)))
    log = tmp_path / "worker.log"
    with log.open("wb") as out:
        worker = subprocess.Popen(
            [Path(sys.executable).with_name("ecommerce"), "worker"],
            env={
                **os.environ,
                **kafka_elsewhere.environment(elsewhere),
                "ECOMMERCE_DATA_DIR": str(tmp_path / "data"),
                "ECOMMERCE_PORT_BASE": str(elsewhere.port_base),
            },
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        eventually(lambda: "partitions owned" in log.read_text(), seconds=120)
    finally:
        worker.terminate()
        worker.wait(60)
    assert PASSWORD not in log.read_text()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kafka_password": SecretStr("another")}, "Authentication failed"),
        ({"kafka_user": "nobody"}, "Authentication failed"),
        ({"kafka_sasl_mechanism": "PLAIN"}, "Unsupported SASL mechanism"),
        ({"kafka_ca_file": Path(certifi.where())}, "certificate verify failed"),
    ],
)
def test_a_client_that_is_not_let_in_says_why(elsewhere: Settings, changed: dict[str, Any], why: str) -> None:
    eventually(lambda: lets_in(elsewhere))
    with pytest.raises(KafkaLoginError, match=why) as refused:
        brokers(elsewhere.model_copy(update=changed))
    assert PASSWORD not in str(refused.value)
