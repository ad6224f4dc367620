"""Asking for checkouts, with so many in flight or at so many a second, and timing each to its order."""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.bench.percentile import percentile
from tests.bench.shopfront import (
    SILENCE_S,
    Listener,
    Mouth,
    Parcel,
    SilentError,
    checkouts,
)
from topics.registry import CHECKOUT_FAILED, ORDER_CANCELLED, ORDER_CONFIRMED, PAYMENT_CAPTURED
from topics.settings import Settings

TICK_S = 0.01
"""Looking at each answer as it comes took a tenth of the machine that was to be measured."""

_HEARD = (ORDER_CONFIRMED, ORDER_CANCELLED, CHECKOUT_FAILED, PAYMENT_CAPTURED)


@dataclass(frozen=True)
class Outcome:
    """Latencies in ms from sending the request to hearing `order.confirmed`.

    `seconds` is from the first request to the last order, `settled_s` to the last captured payment.
    """

    latencies: list[float]
    seconds: float
    settled_s: float
    refused: int

    @property
    def rate(self) -> float:
        """Return checkouts confirmed per second."""
        return len(self.latencies) / self.seconds

    @property
    def settled_rate(self) -> float:
        """Return checkouts paid for per second."""
        return len(self.latencies) / self.settled_s

    def percentile(self, share: float) -> float:
        """Return the latency (ms) that this share of the checkouts kept to."""
        return percentile(self.latencies, share)


class CheckoutLoad:
    """Buys carts, each once, and hears of the orders."""

    def __init__(self, settings: Settings, carts: Sequence[str]) -> None:
        self._mouth = Mouth(settings)
        self._waiting: deque[tuple[bytes, Parcel]] = deque(checkouts(settings, carts))
        self._listener = Listener(settings, _HEARD)

    def close(self) -> None:
        """Leave the broker."""
        self._listener.close()

    def in_flight(self, most: int) -> Outcome:
        """Buy all carts, keeping up to `most` in flight."""
        return self._run(
            lambda _sent, open_ones, _seconds: most - open_ones, lambda: self._listener.heard(0.05)
        )

    def at_rate(self, per_second: float) -> Outcome:
        """Buy all carts, asking for so many a second whatever becomes of them; it looks every `TICK_S`."""
        due = itertools.count(time.monotonic() + TICK_S, TICK_S)

        def heard() -> Iterator[tuple[str, bytes]]:
            time.sleep(max(0.0, next(due) - time.monotonic()))
            return self._listener.heard(0)

        return self._run(lambda sent, _open, seconds: int(seconds * per_second) + 1 - sent, heard)

    def _run(
        self, room: Callable[[int, int, float], int], heard: Callable[[], Iterator[tuple[str, bytes]]]
    ) -> Outcome:
        count = len(self._waiting)
        asked: dict[bytes, float] = {}
        owed: set[bytes] = set()
        latencies: list[float] = []
        sent = refused = captured = 0
        began = last = confirmed = time.monotonic()
        while len(latencies) + refused < count or captured < len(latencies):
            for _ in range(min(room(sent, len(asked), time.monotonic() - began), count - sent)):
                order, record = self._waiting.popleft()
                owed.add(order)
                asked[order] = time.monotonic()
                self._mouth.send(record)
                sent += 1
            for topic, key in heard():
                last = time.monotonic()
                if topic == PAYMENT_CAPTURED.name:
                    captured += key in owed
                    owed.discard(key)
                elif (at := asked.pop(key, None)) is None:
                    continue
                elif topic == ORDER_CONFIRMED.name:
                    latencies.append((last - at) * 1000)
                    confirmed = last
                else:
                    refused += 1
            if time.monotonic() - last > SILENCE_S:
                raise SilentError(f"{len(asked)} of {count} checkouts did not end, {captured} were paid for")
        return Outcome(latencies, confirmed - began, last - began, refused)
