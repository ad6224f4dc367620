import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.archive import s3
from tests.stack import Child


@pytest.fixture
def s3_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name, value in s3.variables(port).items():
        monkeypatch.setenv(name, value)
    child = s3.server(tmp_path / "s3", port)
    child.start()
    yield child
    child.kill()


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty archive is: a folder, or a bucket of a real S3 server."""
    if request.param == "folder":
        return str(tmp_path / "archive")
    request.getfixturevalue("s3_server")
    return f"s3://{s3.BUCKET}/shop"
