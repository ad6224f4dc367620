"""Readiness: each server that the API needs answers within a second."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from pydantic import BaseModel, Field

_TIMEOUT_SECONDS = 1.0
_log = structlog.get_logger()

Check = Callable[[], Awaitable[object]]


class Readiness(BaseModel):
    """Whether the API can serve, and which of its servers answer."""

    ready: bool
    checks: dict[str, bool] = Field(examples=[{"kafka": True, "postgres": True, "redis": True}])


async def readiness(checks: Mapping[str, Check]) -> Readiness:
    """Run all checks at once; one that raises, or takes more than a second, has failed."""
    passed = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
    return Readiness(ready=all(passed), checks=dict(zip(checks, passed, strict=True)))


async def _passes(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 (whatever a client library raises, its server is not usable)
        _log.warning("not_ready", check=name, error=repr(error))
        return False
    return True
