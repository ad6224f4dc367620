"""A real S3 server for tests: the Versity gateway over a folder, built by Go's own tools from its module."""

import os
import shutil
import subprocess
from pathlib import Path

from deploy.embedded.cache import cache_dir, exclusive
from deploy.embedded.sockets import connects
from deploy.processes.process import Process
from tests.stack import Child

VERSION = "v1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
KEY, SECRET, BUCKET = "archivist", "nobody-elses", "archive"
_BUILD_SECONDS = 1200


class GoMissingError(Exception):
    """There is no Go to build the server with."""


def program() -> Path:
    """Return the gateway's program, built on first use. Raises GoMissingError."""
    built = cache_dir() / f"versitygw-{VERSION}" / "versitygw"
    with exclusive(cache_dir() / "versitygw.lock"):
        if not built.exists():
            go = shutil.which("go")
            if go is None:
                raise GoMissingError(
                    "the S3 tests build their server with Go: install it (apt-get install golang)"
                )
            subprocess.run(
                [go, "install", MODULE],
                env={**os.environ, "GOBIN": str(built.parent)},
                check=True,
                capture_output=True,
                timeout=_BUILD_SECONDS,
            )
    return built


def server(directory: Path, port: int) -> Child:
    """Return the server, not yet started, with one empty bucket."""
    (directory / BUCKET).mkdir(parents=True)
    address = f"127.0.0.1:{port}"
    process = Process(
        name="s3",
        title="S3",
        command=(str(program()), "--port", address, "--quiet", "posix", str(directory)),
        environment={"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET},
        ready=lambda: connects("127.0.0.1", port),
    )
    return Child(process, directory.with_suffix(".log"))


def variables(port: int) -> dict[str, str]:
    """Return the environment in which a client finds the server."""
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
