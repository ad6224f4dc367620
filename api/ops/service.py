"""Consumer lag from the broker, dead letters from the views."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from api import cursors
from api.conditions import Conditions
from api.ops.models import DeadLetter, DeadLetterPage, GroupLag, Lag, PartitionLag
from api.ops.waiting import Waiting, refused_row
from api.problems import unavailable
from api.views import Row, Views
from topics import lag as broker_lag
from topics.settings import Settings

# Readers of the same second share one look at the broker.
_FRESH_SECONDS = 1.0

ALERT_MINUTES, ALERT_LETTERS = 5, 5
"""More than these in so many minutes are an alert, as in `deploy/monitoring/alerts.yml`."""

Look = Callable[[Settings], list[broker_lag.PartitionLag]]


class Ops:
    """Figures for the ops page and its API."""

    def __init__(self, settings: Settings, views: Views, look: Look = broker_lag.lag) -> None:
        self._settings = settings
        self._views = views
        self._look = look
        self._looking = asyncio.Lock()
        self._seen: Lag | None = None
        self._seen_at = -_FRESH_SECONDS
        self.waiting = Waiting()

    async def lag(self) -> Lag:
        """Return every group's lag, at most a second old; raises a 503 Problem where no broker answers."""
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen_at > _FRESH_SECONDS:
                try:
                    found = await asyncio.to_thread(self._look, self._settings)
                except Exception as error:
                    # confluent_kafka raises its own exceptions, which share no base with Python's.
                    raise unavailable("the message broker") from error
                self._seen, self._seen_at = _summed(found), time.monotonic()
            return self._seen

    async def dead_letters(
        self, domain: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> DeadLetterPage:
        """Return dead letters, the newest first, of one domain or all."""
        asked = Conditions()
        if domain is not None:
            asked.add(f"domain = {asked.value(domain)}")
        of = cursors.list_of("dead letters", domain)
        if cursor is not None:
            asked.behind(cursor, of, "failed_at", "microsecond", then="id")
        rows = await self._views.rows(
            "SELECT id, domain, reason, error, source_topic, source_partition, source_offset, key, attempt, "  # noqa: S608 (constants)
            "headers::text, (extract(epoch FROM failed_at) * 1000)::bigint AS failed_at, "
            "(extract(epoch FROM failed_at) * 1000000)::bigint AS failed_us FROM dead_letters "
            f"WHERE {asked} "
            f"ORDER BY dead_letters.failed_at DESC, id LIMIT {limit + 1:d}",
            *asked.values,
        )
        counted = await self._views.rows(
            "SELECT domain, reason, count(*) AS letters FROM dead_letters "
            "GROUP BY domain, reason ORDER BY 1, 2"
        )
        counts: dict[str, dict[str, int]] = {}
        for row in counted:
            counts.setdefault(row["domain"], {})[row["reason"]] = row["letters"]
        shown, more = rows[:limit], len(rows) > limit
        following = cursors.encode(of, shown[-1]["failed_us"], shown[-1]["id"]) if more else None
        return DeadLetterPage(items=[_letter(row) for row in shown], next_cursor=following, counts=counts)

    async def recent_dead_letters(self) -> int:
        """Return how many records failed in the last `ALERT_MINUTES`; rows that were refused did not."""
        rows = await self._views.rows(
            "SELECT domain, reason, count(*) AS letters FROM dead_letters "
            "WHERE failed_at > now() - make_interval(mins => $1) GROUP BY domain, reason",
            ALERT_MINUTES,
        )
        return sum(row["letters"] for row in rows if not refused_row(row["domain"], row["reason"]))


def _summed(found: list[broker_lag.PartitionLag]) -> Lag:
    groups: dict[str, GroupLag] = {}
    for each in found:
        known = groups.get(each.group)
        groups[each.group] = GroupLag(
            group=each.group,
            lag=each.lag + (known.lag if known else 0),
            seconds=max(each.seconds, known.seconds if known else 0.0),
            committed=each.committed + (known.committed if known else 0),
        )
    return Lag(
        at=time.time_ns() // 1_000_000,
        groups=list(groups.values()),
        partitions=[PartitionLag.model_validate(each) for each in found],
    )


def _letter(row: Row) -> DeadLetter:
    fields = {name: value for name, value in row.items() if name not in ("headers", "failed_us")}
    return DeadLetter(**fields, headers=msgspec.json.decode(row["headers"]))
