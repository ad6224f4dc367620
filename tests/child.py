"""A Python program as a child process, killed in the end where it has not ended."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager


@asynccontextmanager
async def child(program: str, environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `program`, the text of one, with `environment` over this process's own."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env={**os.environ, **environment}
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()
