"""A real Elasticsearch for tests, started here as a peer; the platform itself never starts one."""

import shutil
from pathlib import Path

from deploy.embedded.elasticsearch import serves
from deploy.embedded.elasticsearch_archive import VERSION, fetch_elasticsearch, home
from deploy.embedded.java import find_java
from deploy.embedded.privileges import account, give_away, unprivileged
from deploy.processes.process import Process, Report
from topics.settings import PortOffset, Settings

_JAVA = 21
_HEAP = "512m"

_CONFIG = """\
cluster.name: ecommerce
node.name: peer
discovery.type: single-node
network.host: "{host}"
http.port: {http}
transport.port: {transport}
path.data: {root}/data
path.logs: {root}/logs
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
"""

_JVM_OPTIONS = f"-Xms{_HEAP}\n-Xmx{_HEAP}\n"


def elasticsearch_peer(settings: Settings) -> Process:
    """Return an Elasticsearch on the platform's ports; raises JavaMissingError where no JDK can run it."""
    url = f"http://{settings.server_host}:{settings.port(PortOffset.ELASTICSEARCH)}"
    root = settings.data_dir.absolute() / "elasticsearch"
    return Process(
        name="elasticsearch",
        title=f"Elasticsearch {VERSION} (test peer)",
        command=unprivileged(
            _command(root), account(settings.data_dir), needs=(home(), root / "config", find_java(_JAVA))
        ),
        ready=lambda: serves(url),
        prepare=lambda report: _prepare(settings, root, report),
        address=url,
        host=settings.server_host,
        ports=(
            settings.port(PortOffset.ELASTICSEARCH),
            settings.port(PortOffset.ELASTICSEARCH_TRANSPORT),
        ),
        directory=home(),
        stop_seconds=60,
        start_seconds=180,
    )


def _command(root: Path) -> tuple[str, ...]:
    java = find_java(_JAVA)
    # It writes its whole environment into its log, so it is given this one.
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": root,
        "JAVA": java,
        "JAVA_TYPE": "installed",
        "ES_HOME": home(),
        "ES_PATH_CONF": root / "config",
        "ES_TMPDIR": root / "tmp",
        "ES_DISTRIBUTION_TYPE": "zip",
    }
    return (
        *("/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environment.items())),
        *(str(java), "-Xms4m", "-Xmx64m", "-XX:+UseSerialGC"),
        *("-cp", f"{home()}/lib/tools/server-launcher/*"),
        "org.elasticsearch.server.launcher.ServerLauncher",
    )


def _prepare(settings: Settings, root: Path, report: Report) -> None:
    fetch_elasticsearch(report)
    config = root / "config"
    for directory in (config / "jvm.options.d", root / "data", root / "logs", root / "tmp"):
        directory.mkdir(parents=True, exist_ok=True)
    for name in ("jvm.options", "log4j2.properties"):
        shutil.copyfile(home() / "config" / name, config / name)
    (config / "jvm.options.d" / "heap.options").write_text(_JVM_OPTIONS)
    (config / "elasticsearch.yml").write_text(
        _CONFIG.format(
            host=settings.server_host,
            http=settings.port(PortOffset.ELASTICSEARCH),
            transport=settings.port(PortOffset.ELASTICSEARCH_TRANSPORT),
            root=root,
        )
    )
    give_away(root, account(settings.data_dir))
