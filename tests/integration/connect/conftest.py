"""A stack of this room's own: Connect ends at a record that is no message, and other tests write such."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack
from topics import admin
from topics.connection import KafkaOptions, librdkafka_options


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    own = Stack(tmp_path_factory.mktemp("connect"))
    yield own
    own.close()


@pytest.fixture
def topics_created(stack: Stack) -> KafkaOptions:
    stack.kafka()
    admin.create(stack.settings)
    return librdkafka_options(stack.settings)
