"""`ecommerce ...` as a person runs it, in this process and against the test's servers."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from deploy.cli import main
from topics.settings import Settings
from topics.settings import settings as process_settings


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out.splitlines()[-1])


Ecommerce = Callable[..., Result]


@pytest.fixture
def ecommerce(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Ecommerce]:
    for field, value in settings.model_dump(exclude_none=True).items():
        monkeypatch.setenv(f"ECOMMERCE_{field.upper()}", str(value))

    def run(*arguments: str) -> Result:
        process_settings.cache_clear()
        monkeypatch.setattr(sys, "argv", ["ecommerce", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return Result(code if isinstance(code, int) else int(code is not None), out, err)

    yield run
    process_settings.cache_clear()
