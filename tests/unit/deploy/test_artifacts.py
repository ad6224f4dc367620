import hashlib
from pathlib import Path

import pytest
import requests
from jgo.maven import Artifact

from deploy.embedded.artifacts import ArtifactError, Locked, fetch, read_lock
from deploy.embedded.kafka import LOCK
from deploy.processes.process import silent

GOOD = b"the jar"
LOCKED = Locked("org.example:thing:1.0", len(GOOD), hashlib.sha256(GOOD).hexdigest())


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOMMERCE_CACHE_DIR", str(tmp_path))


def serve(monkeypatch: pytest.MonkeyPatch, *answers: bytes | Exception) -> list[Path]:
    """Let the Maven client write these bytes, one per download."""
    left = list(answers)
    asked: list[Path] = []

    def resolve(artifact: Artifact) -> Path:
        path = artifact.cached_path
        assert path is not None
        asked.append(path)
        answer = left.pop(0)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(answer, Exception):
            path.write_bytes(b"half")
            raise answer
        path.write_bytes(answer)
        return path

    monkeypatch.setattr(Artifact, "resolve", resolve)
    return asked


def test_the_checked_in_lock_names_every_jar_of_the_broker() -> None:
    locked = read_lock(LOCK)
    names = {artifact.coordinate for artifact in locked}
    assert "org.apache.kafka:kafka_2.13:4.3.0" in names
    # Joined coordinates once resolved an older client in silence.
    assert "org.apache.kafka:kafka-clients:4.3.0" in names
    assert all(len(artifact.sha256) == 64 and artifact.size > 0 for artifact in locked)


def test_a_locked_file_is_fetched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, GOOD)
    fetch((LOCKED,), silent)
    fetch((LOCKED,), silent)
    assert asked == [LOCKED.path]


def test_another_file_is_refused_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"another jar")
    with pytest.raises(ArtifactError, match=r"org\.example:thing:1\.0 has sha256"):
        fetch((LOCKED,), silent)
    assert not LOCKED.path.exists()


def test_half_a_file_is_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, requests.ConnectionError("cut"), GOOD)
    fetch((LOCKED,), silent)
    assert LOCKED.path.read_bytes() == GOOD


def test_a_registry_that_does_not_answer_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, RuntimeError("not found in remote repositories"))
    with pytest.raises(ArtifactError, match=r"cannot download org\.example:thing:1\.0"):
        fetch((LOCKED,), silent)


def test_a_damaged_cache_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    LOCKED.path.parent.mkdir(parents=True)
    LOCKED.path.write_bytes(b"damaged")
    serve(monkeypatch, GOOD)
    fetch((LOCKED,), silent)
    assert LOCKED.verified()
