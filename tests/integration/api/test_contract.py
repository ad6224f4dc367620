"""The served API against its own OpenAPI document: thousands of generated requests, valid and not."""

import asyncio
import sys
from pathlib import Path

import httpx
import pytest

CONFIG = Path(__file__).parent / "schemathesis.toml"


@pytest.mark.timeout(600)
async def test_every_answer_is_as_the_openapi_document_says(
    api: httpx.AsyncClient, staff: dict[str, str], product: str
) -> None:
    assert product
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "schemathesis",
        f"--config-file={CONFIG}",
        "run",
        str(api.base_url.join("/api/v1/openapi.json")),
        f"--header=Authorization: {staff['Authorization']}",
        "--max-examples=8",
        "--phases=examples,coverage,fuzzing",
        "--seed=7",
        "--no-color",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=CONFIG.parent,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8000:]
