"""Redis in memory, for the one script that the real sink runs."""

from types import TracebackType
from typing import Any, Self

import msgspec

from connectors.redis import sink as real
from tests.simulation.effects import effect

_GUARD = "(tonumber(value.version) or 0) >= tonumber(ARGV[1]) then return 0"


class Pipeline:
    """A pipeline of guarded writes: Redis runs them one after the other, here at once."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self._values = values
        self._queued: list[tuple[str, int, str]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def queue(self, key: str, version: int, text: str) -> None:
        """Add a call of the script."""
        self._queued.append((key, version, text))

    async def execute(self, *, raise_on_error: bool) -> list[int]:
        """Run what is queued, and say what came of each."""
        assert not raise_on_error
        await effect("flush: sent")
        guarded = _GUARD in real._GUARDED_SET  # the script says what it guards
        answers = []
        for key, version, text in self._queued:
            known = self._values.get(key)
            older = guarded and known is not None and msgspec.json.decode(known)["version"] >= version
            if not older:
                self._values[key] = text.encode()
            answers.append(int(not older))
        await effect("flush: acknowledged")
        return answers


class MemoryRedisSink(real.RedisSink):
    """The real sink over a dictionary."""

    def __init__(self, values: dict[str, bytes], ttl_s: int) -> None:
        self._values = values
        self._redis: Any = self
        self._ttl_s = ttl_s
        self._guarded_set: Any = self._queue

    def pipeline(self, *, transaction: bool) -> Pipeline:
        """Begin a pipeline."""
        assert not transaction
        return Pipeline(self._values)

    async def _queue(self, keys: list[str], args: list[Any], client: Pipeline) -> None:
        client.queue(keys[0], args[0], args[1])

    async def close(self) -> None:
        """Disconnect."""
