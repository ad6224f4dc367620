"""A real Kafka Connect worker for tests, from Maven Central: the runtime's jars and two plugins.

Confluent's Avro converter is on Maven Central only inside another vendor's connector, whose jar is cut down
to it here. It is under the Confluent Community License: used by tests, never bundled or shipped.
"""

import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import requests
import stamina

from deploy.embedded.artifacts import ArtifactError, fetch, maven, read_lock, sha256
from deploy.embedded.cache import cache_dir, exclusive
from deploy.embedded.java import find_java
from deploy.embedded.sockets import connects
from deploy.processes.process import Process, silent
from tests.stack import Child
from topics.connection import connection
from topics.settings import Settings

LOCK = Path(__file__).with_name("runtime.lock")
_JAVA = 17

_DEBEZIUM = (
    "io/debezium/debezium-connector-jdbc/3.6.0.Final/debezium-connector-jdbc-3.6.0.Final-plugin.tar.gz",
    "c23af8d416f0f801ffb0271b1a8fd9b5360ff8d66b0dd650e066bb56ecfddc05",
)
_CONVERTER = (
    "com/snowflake/snowflake-kafka-connector/2.5.0/snowflake-kafka-connector-2.5.0.jar",
    "97d38b009b695749f1bab6256d881d8e6e30aa995fa6c572ff5c072783bfc5f5",
)
_LEFT_OUT = ("META-INF/", "com/snowflake/", "net/snowflake/", "org/apache/kafka/", "org/slf4j/")

_WORKER = """\
{login}
listeners=http://127.0.0.1:{port}
plugin.path={plugins}
plugin.discovery=hybrid_warn
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename={home}/offsets
offset.flush.interval.ms=1000
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
connector.client.config.override.policy=All
"""


def worker(home: Path, settings: Settings, port: int, environment: Mapping[str, str]) -> Child:
    """Return a standalone worker, not yet started. Raises JavaMissingError and ArtifactError."""
    java = find_java(_JAVA)
    jars = read_lock(LOCK)
    fetch(jars, silent)
    home.mkdir(parents=True)
    properties = home / "worker.properties"
    properties.write_text(_WORKER.format(login=_login(settings), port=port, plugins=plugins(), home=home))
    process = Process(
        name="connect",
        title="Kafka Connect",
        command=(
            *(str(java), "-Xmx768m", "-cp", ":".join(str(jar.path) for jar in jars)),
            *("org.apache.kafka.connect.cli.ConnectStandalone", str(properties)),
        ),
        ready=lambda: connects("127.0.0.1", port),
        environment={**os.environ, **environment},
        start_seconds=300,
    )
    return Child(process, home / "connect.log")


def _login(settings: Settings) -> str:
    """Return the way in to Kafka in Java's words, for the worker and for its connectors' clients."""
    way = connection(settings)
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    told = {
        "security.protocol": way.protocol,
        "sasl.mechanism": way.mechanism,
        "sasl.jaas.config": f'{module} required username="{way.user}" '
        'password="${env:CONNECT_KAFKA_PASSWORD}";',
    }
    lines = [
        f"{prefix}{name}={value}" for prefix in ("", "consumer.", "producer.") for name, value in told.items()
    ]
    return "\n".join((f"bootstrap.servers={way.bootstrap}", *lines))


def plugins() -> Path:
    """Return the folder of plugins, downloaded, verified and unpacked on first use. Raises ArtifactError."""
    folder = cache_dir() / "connect-plugins-1"
    with exclusive(cache_dir() / "connect-plugins.lock"):
        if not folder.exists():
            draft = folder.with_suffix(".new")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            _unpacked(*_DEBEZIUM, draft / "debezium.tar.gz", _all_of)
            _unpacked(*_CONVERTER, draft / "converter.zip", _converter_of)
            draft.rename(folder)
    return folder


def _unpacked(path: str, digest: str, file: Path, unpack: Callable[[Path], None]) -> None:
    try:
        _download(path, file)
    except requests.RequestException as error:
        raise ArtifactError(f"cannot download {path}: {error}") from error
    if (found := sha256(file)) != digest:
        raise ArtifactError(f"{path} has sha256 {found}, expected {digest}: refused")
    unpack(file)
    file.unlink()


@stamina.retry(on=requests.RequestException, attempts=4)
def _download(path: str, file: Path) -> None:
    remote = next(iter(maven().remote_repos.values()))
    with requests.get(f"{remote}/{path}", stream=True, timeout=60) as answer, file.open("wb") as out:
        answer.raise_for_status()
        for chunk in answer.iter_content(1 << 20):
            out.write(chunk)


def _all_of(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(archive.parent, filter="data")


def _converter_of(archive: Path) -> None:
    target = archive.parent / "avro-converter" / "avro-converter.jar"
    target.parent.mkdir()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as jar:
        for member in source.infolist():
            if not member.is_dir() and not member.filename.startswith(_LEFT_OUT):
                jar.writestr(member.filename, source.read(member))
