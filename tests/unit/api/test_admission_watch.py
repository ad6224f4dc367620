"""Looking at the backlog of a broker that does not answer."""

import asyncio

import pytest
from confluent_kafka import KafkaError, KafkaException

from api.admission import watch
from api.admission.gate import Gate
from api.settings import ApiSettings
from topics.lag import PartitionLag
from topics.settings import Settings


async def test_a_look_gives_up_soon_and_is_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(kafka="127.0.0.1:1")
    asked: list[float] = []
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    def lag(
        _settings: Settings, _groups: list[str], *, seconds: bool, timeout_s: float
    ) -> list[PartitionLag]:
        assert not seconds
        asked.append(timeout_s)
        if len(asked) == 1:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        loop.call_soon_threadsafe(seen.set)
        return [PartitionLag("g", "a", 0, 0, 7, 7, 0.0)]

    monkeypatch.setattr(watch, "lag", lag)
    gate = Gate(ApiSettings())
    async with watch.watching(gate, settings, ["g"], every_s=0.001):
        await asyncio.wait_for(seen.wait(), 30)
    assert max(asked) <= 5
