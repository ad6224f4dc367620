"""A broker of this room's own: its tests kill workers and the broker, and keep toy state in a real table."""

from collections.abc import Iterator

import pytest

from tests.integration.kernel.workers import Workers
from tests.stack import Stack
from topics import admin
from topics.settings import Settings


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("kernel"))
    stack.kafka()
    admin.create(stack.settings)
    yield stack
    stack.close()


@pytest.fixture
def own_settings(own_stack: Stack) -> Settings:
    return own_stack.settings


@pytest.fixture
def workers(own_settings: Settings) -> Iterator[Workers]:
    running = Workers(own_settings)
    yield running
    running.close()
