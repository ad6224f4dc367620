"""Readiness: each server that the API needs answers within a second."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog
from pydantic import BaseModel, Field

from topics.standing import StandingStill

_TIMEOUT_SECONDS = 1.0
_TOLD = 10
_log = structlog.get_logger()

Check = Callable[[], Awaitable[object]]


class StandstillError(Exception):
    """Part of the dataflow stands still: what is accepted is not applied."""


class Readiness(BaseModel):
    """Whether the API can serve, and which of its servers answer."""

    ready: bool
    checks: dict[str, bool] = Field(
        examples=[{"kafka": True, "postgres": True, "redis": True, "dataflow": True}]
    )
    standing: list[str] = Field(
        default=[], description="Partitions whose consumer does not move though records wait, and since when."
    )


async def readiness(checks: Mapping[str, Check], standing: StandingStill | None = None) -> Readiness:
    """Run all checks at once; one that raises, or takes more than a second, has failed."""
    passed = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
    told = [] if standing is None else [str(still) for still in standing.found[:_TOLD]]
    return Readiness(ready=all(passed), checks=dict(zip(checks, passed, strict=True)), standing=told)


def moving(standing: StandingStill, groups: Collection[str]) -> Check:
    """Return the check that these groups move; it raises StandstillError."""

    async def check() -> None:
        still = next((each for each in standing.found if each.group in groups), None)
        if still is not None:
            raise StandstillError(str(still))

    return check


async def _passes(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 (whatever a client library raises, its server is not usable)
        _log.warning("not_ready", check=name, error=repr(error))
        return False
    return True
