"""Finding a full Java on the machine; Kafka needs none of this, it brings its own runtime."""

import os
import re
import shutil
from pathlib import Path


class JavaMissingError(Exception):
    """No Java of the asked version is installed."""


def find_java(least: int) -> Path:
    """Return the `java` program of the newest JDK, at least version `least`.

    `JAVA_HOME` is asked first, then `/usr/lib/jvm`, then the `PATH`. Raises JavaMissingError where there is
    none.
    """
    chosen = os.environ.get("JAVA_HOME")
    if chosen and _version(Path(chosen)) >= least:
        return Path(chosen) / "bin" / "java"
    installed = sorted(Path("/usr/lib/jvm").glob("*"), key=_version, reverse=True)
    on_path = shutil.which("java")
    homes = [*installed, *([Path(on_path).resolve().parents[1]] if on_path else [])]
    for home in homes:
        if _version(home) >= least:
            return home / "bin" / "java"
    raise JavaMissingError(
        f"Elasticsearch's test peer is not available: it needs a JDK {least} or newer on JAVA_HOME or in "
        "/usr/lib/jvm; install one, or set ECOMMERCE_ELASTICSEARCH to the URL of a running Elasticsearch"
    )


def _version(home: Path) -> int:
    release = home / "release"
    if not release.is_file() or not (home / "bin" / "java").exists():
        return 0
    found = re.search(r'JAVA_VERSION="(\d+)', release.read_text())
    return int(found.group(1)) if found else 0
