"""Fixtures of real servers. A test names what it needs; a server starts when the first test asks for it.

| fixture          | gives                                                                       |
|------------------|-----------------------------------------------------------------------------|
| `stack`          | the session's `Stack` (start, stop, kill and restart single servers)        |
| `kafka`          | what a client of confluent_kafka is given to reach a running broker         |
| `topics_created` | the same, once every topic of the registry exists                           |
| `group_suffix`   | a suffix that makes this test's consumer groups its own                     |
| `postgres`       | DSN of an empty database of this test's own                                 |
| `redis_url`      | URL of an empty Redis database of this test's own                           |
| `elasticsearch`  | URL of a running Elasticsearch (`ECOMMERCE_ELASTICSEARCH`, else a test peer) |
| `settings`       | `Settings` with the session's addresses; where the test also asks for       |
|                  | `postgres`, `redis_url` or `elasticsearch`, with those                      |

Flows in memory: the fixtures `driver` and `golden` of `deploy.replay.pytest_plugin`.
"""

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.stack import Stack
from topics import admin
from topics.connection import KafkaOptions, librdkafka_options
from topics.settings import Settings

pytest_plugins = ("deploy.replay.pytest_plugin",)


# How fast inputs come says something of the machine's other work, and nothing of what is tested.
hypothesis_settings.register_profile("any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any pace")


def pytest_configure() -> None:
    # `timeout` and CI end a run with SIGTERM: as with Ctrl-C, fixtures then stop their servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Fail the test that leaves a variable behind, which would change the settings of the next."""
    before = _variables()
    yield
    assert _variables() == before


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("stack"))
    yield running
    running.close()


@pytest.fixture
def kafka(stack: Stack) -> KafkaOptions:
    stack.kafka()
    return librdkafka_options(stack.settings)


@pytest.fixture(scope="session")
def _topics_once(stack: Stack) -> None:
    stack.kafka()
    admin.create(stack.settings)


@pytest.fixture
def topics_created(stack: Stack, _topics_once: None) -> KafkaOptions:
    return librdkafka_options(stack.settings)


@pytest.fixture
def group_suffix() -> str:
    return uuid.uuid4().hex[:12]


@pytest.fixture
def postgres(stack: Stack) -> str:
    return stack.fresh_database()


@pytest.fixture
def redis_url(stack: Stack) -> str:
    return stack.fresh_redis()


@pytest.fixture
def elasticsearch(stack: Stack) -> str:
    return stack.elasticsearch_url()


@pytest.fixture
def settings(stack: Stack, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    addresses = {"postgres": "postgres", "redis": "redis_url", "elasticsearch": "elasticsearch"}
    chosen = {
        field: request.getfixturevalue(fixture)
        for field, fixture in addresses.items()
        if fixture in request.fixturenames
    }
    return stack.settings.model_copy(update={"data_dir": tmp_path / "data", **chosen})
