"""Elasticsearch: the external one of a setting, and for tests a real one started here as a peer."""

import shutil
from pathlib import Path

import httpx

from deploy.embedded.elasticsearch_archive import VERSION, fetch_elasticsearch, home
from deploy.embedded.java import find_java
from deploy.embedded.privileges import give_away, unprivileged
from deploy.embedded.sockets import private
from deploy.processes.process import External, NotReadyError, Process, Report
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


def elasticsearch(settings: Settings) -> Process | External:
    """Return Elasticsearch: the external one of `ECOMMERCE_ELASTICSEARCH`, else a test peer to start.

    Raises JavaMissingError where the peer is asked for and no JDK can run it.
    """
    if settings.elasticsearch:
        return external(settings.elasticsearch)
    url = f"http://{private(settings.host)}:{settings.port(PortOffset.ELASTICSEARCH)}"
    root = settings.data_dir.absolute() / "elasticsearch"
    return Process(
        name="elasticsearch",
        title=f"Elasticsearch {VERSION} (test peer)",
        command=unprivileged(_command(root), needs=(home(), root / "config", find_java(_JAVA))),
        ready=lambda: serves(url),
        prepare=lambda report: _prepare(settings, root, report),
        address=url,
        host=private(settings.host),
        ports=(
            settings.port(PortOffset.ELASTICSEARCH),
            settings.port(PortOffset.ELASTICSEARCH_TRANSPORT),
        ),
        directory=home(),
        stop_seconds=60,
        start_seconds=180,
    )


def external(url: str) -> External:
    """Return the Elasticsearch that runs at `url`."""
    return External(
        name="elasticsearch",
        title="Elasticsearch",
        address=url,
        ready=lambda: serves(url),
        setting="ECOMMERCE_ELASTICSEARCH",
    )


def serves(url: str) -> None:
    """Return when the cluster takes reads and writes; raise NotReadyError where not."""
    try:
        health = httpx.get(f"{url}/_cluster/health", timeout=5)
        health.raise_for_status()
    except httpx.HTTPError as error:
        raise NotReadyError(f"no answer from Elasticsearch: {error}") from error
    status = health.json()["status"]
    if status == "red":
        raise NotReadyError("the Elasticsearch cluster is red")


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
            host=private(settings.host),
            http=settings.port(PortOffset.ELASTICSEARCH),
            transport=settings.port(PortOffset.ELASTICSEARCH_TRANSPORT),
            root=root,
        )
    )
    give_away(root)
