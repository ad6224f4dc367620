import shutil
from pathlib import Path

import pytest

from deploy.embedded.java import JavaMissingError, find_java


def jdk(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch()
    (home / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\n')
    return home


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(jdk(tmp_path / "mine", "21.0.4")))
    assert find_java(21) == tmp_path / "mine" / "bin" / "java"


def test_an_old_java_home_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(jdk(tmp_path / "old", "17.0.1")))
    monkeypatch.setattr(shutil, "which", lambda _name: str(jdk(tmp_path / "path", "99") / "bin" / "java"))
    assert find_java(99) == tmp_path / "path" / "bin" / "java"


def test_without_any_the_error_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(JavaMissingError, match=r"JDK 99 or newer.*ECOMMERCE_ELASTICSEARCH"):
        find_java(99)
