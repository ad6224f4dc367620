"""Settings that are each sound alone must be sound together."""

from pathlib import Path

import pytest

from deploy.errors import CommandError
from deploy.processes import lifecycle
from deploy.processes.spans import check_all
from streams.spans import SettingsConflictError, check, spans
from topics.settings import Settings

DAY = 86_400_000


def test_the_defaults_go_together() -> None:
    check()
    check_all()
    assert all(span.breach is None for span in spans())


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [
        ("ECOMMERCE_ORDER_REFUND_WINDOW_MS", 40 * DAY, "ECOMMERCE_PAYMENT_REFUND_WINDOW_MS"),
        ("ECOMMERCE_ORDER_REFUND_WINDOW_MS", 31 * DAY, "ECOMMERCE_PAYMENT_REFUND_WINDOW_MS"),
        ("ECOMMERCE_PAYMENT_REFUND_WINDOW_MS", DAY, "ECOMMERCE_ORDER_REFUND_WINDOW_MS"),
        ("ECOMMERCE_ORDER_RETENTION_MS", 60_000, "ECOMMERCE_CART_CHECKOUT_MS"),
        ("ECOMMERCE_ALLOCATION_RETENTION_MS", 1, "ECOMMERCE_CART_CHECKOUT_MS"),
        ("ECOMMERCE_STOCK_MARKER_RETENTION_MS", 1, "ECOMMERCE_CART_CHECKOUT_MS"),
        ("ECOMMERCE_PAYMENT_RETENTION_MS", 1, "ECOMMERCE_CART_CHECKOUT_MS"),
        ("ECOMMERCE_CART_CHECKOUT_MS", 2 * DAY, "ECOMMERCE_ORDER_RETENTION_MS"),
        ("ECOMMERCE_PAYMENT_ANSWER_MS", DAY, "ECOMMERCE_CART_CHECKOUT_MS"),
        ("ECOMMERCE_PAYMENT_LONGEST_RETRY_MS", 1, "ECOMMERCE_PAYMENT_FIRST_RETRY_MS"),
        ("ECOMMERCE_API_IDEMPOTENCY_SECONDS", 86_401, "ECOMMERCE_CART_RETENTION_MS"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_by_both_names(
    monkeypatch: pytest.MonkeyPatch, name: str, value: int, other: str
) -> None:
    monkeypatch.setenv(name, str(value))
    with pytest.raises(SettingsConflictError) as refused:
        check_all()
    assert name in str(refused.value)
    assert other in str(refused.value)
    assert str(value) in str(refused.value)


def test_nothing_is_started_on_settings_that_do_not_go_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ECOMMERCE_ORDER_REFUND_WINDOW_MS", str(40 * DAY))
    with pytest.raises(CommandError, match="ECOMMERCE_ORDER_REFUND_WINDOW_MS"):
        lifecycle.up(Settings(data_dir=tmp_path / "data"))
    assert not (tmp_path / "data").exists()
