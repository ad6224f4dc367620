"""What a process says of itself, heard through the API."""

from typing import Any

import httpx
import pytest

from deploy.processes import signs
from deploy.processes.process import NotReadyError
from deploy.processes.signs import Signs
from topics.settings import Settings

RUNNING = {"sink": 7, "gateway": 8, "worker-0": 9, "api": 10}


def instance(name: str, *, healthy: bool = True, **details: str) -> dict[str, Any]:
    return {"instance": name, "healthy": healthy, "started_at": 1, "answered_ms": 1.0, "details": details}


def services(**changed: list[dict[str, Any]]) -> dict[str, Any]:
    every = {
        "sink": [instance("host-7")],
        "payment-gateway": [instance("host-8")],
        "worker": [instance("host-0")],
        "api": [instance("host-10")],
    }
    return {"services": {**every, **{name.replace("_", "-"): found for name, found in changed.items()}}}


def heard(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | httpx.HTTPError) -> Signs:
    def get(_url: str, **_: object) -> httpx.Response:
        if isinstance(answer, httpx.Response):
            return answer
        raise answer

    monkeypatch.setattr(httpx, "get", get)
    listening = Signs(Settings(), RUNNING)
    listening.listen()
    return listening


def test_who_answers_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = heard(monkeypatch, httpx.Response(200, json=services()))
    for name in RUNNING:
        assert listening.asks(name)
        listening.require(name)
    assert not listening.asks("kafka")


@pytest.mark.parametrize("name", ["sink", "payment_gateway", "worker"])
def test_who_runs_and_does_not_answer_is_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    # Another copy of it, of an earlier process or elsewhere, does not speak for this one.
    listening = heard(monkeypatch, httpx.Response(200, json=services(**{name: [instance("host-99")]})))
    row = {"payment_gateway": "gateway", "worker": "worker-0"}.get(name, name)
    with pytest.raises(NotReadyError, match="does not answer"):
        listening.require(row)


def test_who_says_that_it_is_not_well_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    sick = [instance("host-7", healthy=False, postgres="away, attempt 3")]
    listening = heard(monkeypatch, httpx.Response(200, json=services(sink=sick)))
    with pytest.raises(NotReadyError, match="postgres: away, attempt 3"):
        listening.require("sink")


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(403)])
def test_where_nobody_can_be_asked_nobody_is_blamed(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | httpx.HTTPError
) -> None:
    listening = heard(monkeypatch, answer)
    for name in RUNNING:
        listening.require(name)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "_ASKED", 1)
