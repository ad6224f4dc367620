"""Fair shares: what one client, and one cart or user, may have going at once. Who exceeds it gets 429.

The gate protects the platform from all together, and would refuse everybody on account of one. A share is
looked at first, so that the one is refused and nobody else.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Network, ip_address

from prometheus_client import Counter as Metric

from api import context
from api.client_address import UNKNOWN
from api.problems import Problem

EXCEEDED = Metric(
    "api_shares_exceeded_total", "What was refused for its client's share, by share.", ["share"]
)

_RETRY_S = 2


def exceeded(what: str) -> Problem:
    """Return the problem of who has taken its share, and count it."""
    EXCEEDED.labels(what).inc()
    return Problem(
        429,
        f"too much at once from one client ({what.replace('_', ' ')}); nothing was done, try again",
        headers={"Retry-After": str(_RETRY_S)},
        reason=what,
    )


class Share:
    """How much each may hold of one thing, by name; `what` names it in refusals and metrics."""

    def __init__(self, what: str, most: int) -> None:
        self.what = what
        self.most = most
        self._held: Counter[object] = Counter()

    def full(self, holder: object) -> bool:
        """Tell whether the holder has its share already."""
        return self._held[holder] >= self.most

    def take(self, holder: object) -> None:
        """Let the holder have one more."""
        self._held[holder] += 1

    def give_back(self, holder: object) -> None:
        """Count one of the holder's as done."""
        if self._held[holder] <= 1:
            del self._held[holder]
        else:
            self._held[holder] -= 1


class Unlimited:
    """Clients that keep to no share: by network."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        self._networks = tuple(networks)
        self._known: dict[str, bool] = {}

    def __contains__(self, client: str) -> bool:
        if not self._networks:
            return client in ("", UNKNOWN)
        if client not in self._known:
            if len(self._known) > 10_000:  # noqa: PLR2004 (clients choose their addresses)
                self._known.clear()
            self._known[client] = self._has(client)
        return self._known[client]

    def _has(self, client: str) -> bool:
        try:
            address = ip_address(client.partition("/")[0])
        except ValueError:
            return client in ("", UNKNOWN)
        return any(address in network for network in self._networks)


@contextmanager
def holding(*taken: tuple[Share, object]) -> Iterator[None]:
    """Hold one of each share while the block runs; raises a 429 Problem where one is full."""
    for share, holder in taken:
        if share.full(holder):
            raise exceeded(share.what)
    for share, holder in taken:
        share.take(holder)
    try:
        yield
    finally:
        for share, holder in taken:
            share.give_back(holder)


class Shares:
    """All shares of one process."""

    def __init__(
        self,
        *,
        client_in_hand: int,
        client_unanswered: int,
        client_streams: int,
        owner_commands: int,
        owner_streams: int,
        unlimited: Sequence[IPv4Network | IPv6Network] = (),
    ) -> None:
        self.client_in_hand = Share("commands_of_a_client", client_in_hand)
        self.client_unanswered = Share("unanswered_commands_of_a_client", client_unanswered)
        self.client_streams = Share("event_streams_of_a_client", client_streams)
        self.requests = Share("commands_of_a_cart_or_user", owner_commands)
        self.owner_unanswered = Share("unanswered_commands_of_a_cart_or_user", owner_commands)
        self.owner_streams = Share("event_streams_of_a_cart_or_user", owner_streams)
        self.unlimited = Unlimited(unlimited)

    def unanswered(self, owner: str) -> list[tuple[Share, object]]:
        """Return what a command of an owner takes until it is answered."""
        return self._of(self.client_unanswered, self.owner_unanswered, owner)

    def stream(self, owner: object) -> list[tuple[Share, object]]:
        """Return what an event stream of an owner takes until it ends."""
        return self._of(self.client_streams, self.owner_streams, owner)

    def _of(self, of_client: Share, of_owner: Share, owner: object) -> list[tuple[Share, object]]:
        client = context.client.get()
        if client in self.unlimited:
            return []
        return [(of_client, client), *([(of_owner, owner)] if owner else [])]
