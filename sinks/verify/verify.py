"""Compares live views with the final state of their topics, while both go on.

What differs at first is looked at again once the topics are read up to a later end: what a view had from
records behind the first end is known then. What the live sink has not committed is not wrong but behind.
"""

import time
from collections.abc import Sequence

from sinks.verify.comparison import Difference, again, look
from sinks.verify.findings import Findings, found, gaps, parts_of
from sinks.verify.letters import Passed, Source, lettered
from sinks.verify.reading import Reading, Tell, silent
from sinks.verify.sought import Sought, sought
from sinks.verify.spans import Offsets, Spans, are_read, behind, committed, spans
from sinks.verify.spool import Spool
from sinks.views import Choice
from topics.settings import Settings

_LOOKS = 4


class Verification:
    """One comparison of the chosen views; with an archive, also of what retention has removed from topics."""

    def __init__(
        self, settings: Settings, choice: Choice, archive: str | None = None, tell: Tell = silent
    ) -> None:
        self._settings = settings
        self._choice = choice
        self._archive = archive
        self._tell = tell

    async def run(self, there: Spans | None = None) -> Findings:
        """Compare, up to where the topics end now, or as `there` says.

        Raises Unreadable where a view's server does not answer, and the clients' errors where Kafka or the
        archive does not.
        """
        there = there or await spans(self._settings, self._choice.topics)
        with Spool() as spool:
            wanted = await sought(self._settings, self._choice, spool)
            reading = Reading(
                "verify",
                self._settings,
                self._choice,
                make=lambda: wanted.expected,
                letters=Passed(),
                tell=self._tell,
            )
            removed = dict(there.removed)
            if removed and self._archive:
                removed = await reading.archive(self._archive, removed)
            await reading.topics(there.starts, there.ends)
            # Asked before the view is: what is committed by now has to be in it.
            has = await committed(self._settings, self._choice.group)
            first = await look(wanted.parts, spool, wanted.side, lambda told: not are_read(told.sources, has))
            blamed = _Blamed(spool, wanted.ttl_ms, behind(there, has), first.excused)
            await self._settle(first.differences, blamed, wanted, reading, there)
            known = await lettered(self._settings, blamed.sources())
            refused = [each for each in blamed.wrong if known.intersection(blamed.sources_of(each))]
            return Findings(
                name=self._choice.name,
                records=sum(there.ends.values()) - sum(there.starts.values()),
                parts=parts_of(first),
                differences=found(each for each in blamed.wrong if each not in refused),
                more=first.more,
                behind=blamed.behind,
                lag=blamed.lag,
                refused=len(refused),
                expired=blamed.expired,
                moving=blamed.moving,
                removed=gaps(removed),
            )

    async def _settle(
        self,
        differences: Sequence[Difference],
        blamed: "_Blamed",
        wanted: Sought,
        reading: Reading,
        there: Spans,
    ) -> None:
        """Look again at what differs until it stays as it is, and say what is to blame for it."""
        left, ends = list(differences), there.ends
        for _ in range(_LOOKS):
            if not left:
                break
            now = await spans(self._settings, self._choice.topics)
            await reading.topics(ends, now.ends)
            ends = now.ends
            has = await committed(self._settings, self._choice.group)
            blamed.lag = behind(now, has)
            before, left = set(left), await again(left, blamed.spool, wanted.side)
            for each in left:
                if each in before:
                    blamed.settle(each, has)
            left = [each for each in left if each not in before]
        blamed.moving = len(left)


class _Blamed:
    """What differs, by what is to blame."""

    def __init__(self, spool: Spool, ttl_ms: int | None, lag: int, late: int) -> None:
        self.spool = spool
        self.lag = lag
        self.behind = late
        self._expired_before = None if ttl_ms is None else time.time_ns() // 1_000_000 - ttl_ms
        self.wrong: list[Difference] = []
        self.expired = self.moving = 0

    def settle(self, difference: Difference, has: Offsets) -> None:
        """Take a difference that stays, where the live sink `has` committed so much."""
        told = self.spool.get(difference.part, difference.key)
        if told is not None and not are_read(told.sources, has):
            self.behind += 1
        elif (
            told is not None
            and difference.held is None
            and self._expired_before is not None
            and told.at < self._expired_before
        ):
            self.expired += 1
        else:
            self.wrong.append(difference)

    def sources(self) -> set[Source]:
        """Return where the records lie that tell of what is wrong."""
        return set().union(*map(self.sources_of, self.wrong))

    def sources_of(self, difference: Difference) -> set[Source]:
        """Return where the records lie that tell of one key."""
        told = self.spool.get(difference.part, difference.key)
        return set(told.sources) if told else set()
