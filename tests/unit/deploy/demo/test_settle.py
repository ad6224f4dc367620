"""Where groups are, asked of a broker that is on its way back."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from deploy.demo import settle
from deploy.demo.settle import Positions
from topics.coordinators import Committed
from topics.registry import ORDER_DUE
from topics.settings import Settings

PLACE = (ORDER_DUE.name, 0)


def test_a_broker_that_comes_back_is_asked_again_for_ends_and_commits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kill between the last invoice and the last look ended the demo, though the platform recovers."""
    down = KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    answers: dict[str, list[Any]] = {
        "ends": [down, {PLACE: 5}],
        "commits": [down, {("group", PLACE): Committed(3, "")}],
    }

    def told(what: str) -> Any:
        answer = answers[what].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    listed = SimpleNamespace(topics={ORDER_DUE.name: SimpleNamespace(partitions={0: None})})
    monkeypatch.setattr(settle, "client", lambda _: SimpleNamespace(list_topics=lambda **_: listed))
    monkeypatch.setattr(settle, "end_offsets", lambda *_: told("ends"))
    monkeypatch.setattr(settle, "first_offsets", lambda *_: {})
    monkeypatch.setattr(settle, "commits", lambda *_: told("commits"))
    assert Positions(Settings(), {"group": [ORDER_DUE.name]}).lag() == 2
    assert answers == {"ends": [], "commits": []}
