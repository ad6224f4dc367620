from pathlib import Path

import pytest

from deploy.schemas import commands
from schemas.lock import HERE, Lock
from tests.unit.deploy.commands.conftest import Ecommerce


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the committed schemas that may be changed."""
    (tmp_path / "registry.lock").write_text((HERE / "registry.lock").read_text())
    (tmp_path / "avsc").symlink_to(HERE / "avsc")
    monkeypatch.setattr(commands, "Lock", lambda: Lock(tmp_path))
    return tmp_path


def test_finds_a_schema_that_was_not_committed(ecommerce: Ecommerce, root: Path) -> None:
    lock = root / "registry.lock"
    *kept, last = lock.read_text().splitlines(keepends=True)
    lock.write_text("".join(kept))
    done = ecommerce("schemas", "check")
    assert done.code == 1
    topic = last.split()[1].removesuffix("-value")
    assert f"{topic}: its type differs from the newest committed schema" in done.out


def test_finds_a_committed_schema_that_was_changed(ecommerce: Ecommerce, root: Path) -> None:
    lock = root / "registry.lock"
    lock.write_text(lock.read_text().replace(lock.read_text().split()[3], "0" * 64))
    done = ecommerce("schemas", "check", "--json")
    assert done.code == 1
    assert "committed versions never change" in done.json["problems"][0]


def test_says_where_the_lock_is_broken(ecommerce: Ecommerce, root: Path) -> None:
    (root / "registry.lock").write_text("nonsense\n")
    done = ecommerce("schemas", "list")
    assert done.code == 1
    assert "not 'id subject version checksum': 'nonsense'" in done.err


@pytest.mark.usefixtures("root")
def test_lists_and_updates(ecommerce: Ecommerce) -> None:
    assert "ecommerce.cart.add-value" in ecommerce("schemas", "list").out
    assert "every schema is current" in ecommerce("schemas", "update").out
    assert "are current and compatible" in ecommerce("schemas", "check").out
