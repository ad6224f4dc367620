"""Every rule of a domain can be set from the environment, and nothing else changes it."""

import pytest

from streams.cart.policy import CartPolicy
from streams.cart.settings import CartSettings
from streams.order.policy import OrderPolicy
from streams.order.settings import OrderSettings
from streams.product.policy import ProductPolicy
from streams.product.settings import ProductSettings


def test_the_defaults_are_the_policies() -> None:
    assert CartSettings().policy() == CartPolicy()
    assert OrderSettings().policy() == OrderPolicy()
    assert ProductSettings().policy() == ProductPolicy()


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOMMERCE_CART_IDLE_MS", "5000")
    monkeypatch.setenv("ECOMMERCE_ORDER_RETENTION_MS", "60000")
    monkeypatch.setenv("ECOMMERCE_PRODUCT_MAX_PRICE", "7")
    assert CartSettings().policy().idle_ms == 5000
    assert OrderSettings().policy().retention_ms == 60_000
    assert ProductSettings().policy().max_price == 7
