"""The examples of the driver in the documents, run as they are written there."""

import re
from pathlib import Path
from typing import Any

import pytest

from streams.kernel.driver import Driver

ROOT = Path(__file__).parents[2]
BLOCKS = [
    (document, code)
    for document in ("README.md", "docs/development.md")
    for code in re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    if "async def test_" in code
]


def test_there_is_one() -> None:
    assert "docs/development.md" in [document for document, _ in BLOCKS]


@pytest.mark.parametrize(("document", "code"), BLOCKS, ids=[document for document, _ in BLOCKS])
async def test_the_example_passes_as_written(document: str, code: str, driver: Driver) -> None:
    space: dict[str, Any] = {}
    exec(compile(code, document, "exec"), space)
    (example,) = [made for name, made in space.items() if name.startswith("test_")]
    await example(driver)
