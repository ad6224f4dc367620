"""Rules that span the settings of several domains: each is sound alone, and together they must be, too.

A domain waits for another, or relies on what the other still remembers. Where that has been forgotten first,
an order would wait for ever; so it is refused at start, and the message names both settings.
"""

from typing import NamedTuple

from streams.cart.settings import CartSettings
from streams.inventory.settings import AllocationSettings, StockSettings
from streams.order.settings import OrderSettings
from streams.payment.settings import PaymentSettings


class SettingsConflictError(ValueError):
    """Settings that are each allowed, and not together."""


class Time(NamedTuple):
    """A setting that is a time: its environment variable and value, and how many ms that is."""

    name: str
    value: int
    ms: int


class Span(NamedTuple):
    """One rule: `shorter` must be below `longer`, or may be `equal`; `why` completes "or ..."."""

    shorter: Time
    longer: Time
    why: str
    equal: bool = True

    @property
    def breach(self) -> str | None:
        """Return what is wrong, or None."""
        short, long = self.shorter.ms, self.longer.ms
        if short < long or (self.equal and short == long):
            return None
        limit = "must not be longer than" if self.equal else "must be shorter than"
        return (
            f"{self.shorter.name} ({self.shorter.value}) {limit} {self.longer.name} ({self.longer.value}),"
            f" or {self.why}"
        )


def spans() -> tuple[Span, ...]:
    """Return the rules over the settings of this process's environment."""
    cart, order, payment = CartSettings(), OrderSettings(), PaymentSettings()
    checkout = _ms("CART_CHECKOUT_MS", cart.checkout_ms)
    answer = _ms("PAYMENT_ANSWER_MS", payment.answer_ms)
    retry = _ms("PAYMENT_FIRST_RETRY_MS", payment.first_retry_ms)
    late = "a late message of a checkout would not meet its end any more"
    memories = (
        _ms("ORDER_RETENTION_MS", order.retention_ms),
        _ms("ALLOCATION_RETENTION_MS", AllocationSettings().retention_ms),
        _ms("STOCK_MARKER_RETENTION_MS", StockSettings().marker_retention_ms),
        _ms("PAYMENT_RETENTION_MS", payment.retention_ms),
        _ms("CART_RETENTION_MS", cart.retention_ms),
    )
    return (
        Span(
            _ms("ORDER_REFUND_WINDOW_MS", order.refund_window_ms),
            _ms("PAYMENT_REFUND_WINDOW_MS", payment.refund_window_ms),
            "a refund of a payment that is forgotten would be waited for for ever",
            equal=False,
        ),
        *(Span(checkout, memory, late) for memory in memories),
        Span(
            answer,
            checkout,
            "an answer that was lost is never asked for again before the deadline",
            equal=False,
        ),
        Span(
            retry, checkout, "a provider that was away is never asked again before the deadline", equal=False
        ),
        Span(
            retry, _ms("PAYMENT_LONGEST_RETRY_MS", payment.longest_retry_ms), "the first wait is the longest"
        ),
        Span(
            answer,
            _ms("PAYMENT_LONGEST_ANSWER_MS", payment.longest_answer_ms),
            "the first wait is the longest",
        ),
    )


def check(rules: tuple[Span, ...] | None = None) -> None:
    """Raise SettingsConflictError where a rule is broken; it names all of them."""
    broken = [span.breach for span in (spans() if rules is None else rules) if span.breach is not None]
    if broken:
        raise SettingsConflictError("settings do not go together: " + "; ".join(broken))


def _ms(name: str, value: int) -> Time:
    return Time(f"ECOMMERCE_{name}", value, value)
