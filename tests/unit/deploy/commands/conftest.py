"""`ecommerce ...` in this process, without servers."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from deploy.cli import main


@dataclass(frozen=True)
class Result:
    code: int | str | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out.splitlines()[-1])


Ecommerce = Callable[..., Result]


@pytest.fixture
def ecommerce(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ecommerce:
    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["ecommerce", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Result(ended.value.code, *capsys.readouterr())

    return run
