"""A provider and a gateway of this test's own, on the session's broker."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.payments.processes import Desk, Provider, Running
from topics.connection import KafkaOptions
from topics.settings import Settings


@pytest.fixture
def provider(settings: Settings, tmp_path: Path) -> Iterator[Provider]:
    running = Provider(settings, tmp_path / "provider.log")
    running.start()
    try:
        running.wait_live()
        yield running
    finally:
        running.stop()
        running.client.close()


@pytest.fixture
def gateway(
    settings: Settings,
    topics_created: KafkaOptions,  # noqa: ARG001 (the topics are there)
    provider: Provider,
    tmp_path: Path,
) -> Iterator[Running]:
    running = Running(
        "run_gateway",
        settings,
        tmp_path / "gateway.log",
        ECOMMERCE_PAYMENT_PROVIDER=provider.url,
        ECOMMERCE_PAYMENT_PROVIDER_KEY=str(settings.provider_key),
        ECOMMERCE_GATEWAY_TIMEOUT_MS="8000",
        ECOMMERCE_GATEWAY_BREAKER_OPEN_MS="500",
        ECOMMERCE_GATEWAY_IN_FLIGHT="64",
    )
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
async def desk(
    settings: Settings,
    topics_created: KafkaOptions,  # noqa: ARG001 (the topics are there)
) -> AsyncIterator[Desk]:
    async with Desk(settings) as opened:
        yield opened
