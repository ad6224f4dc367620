"""Rebuilds views from the start of the topics, beside the live ones, and swaps them in without downtime.

1. Fill the new ones up to where the topics end now, from the archive where retention has removed their
   beginning, then once more up to where they end then.
2. Compare them with the live ones: a difference may be the reason for the rebuild, or a reason against it.
3. Swap: readers and the live sink find the new ones under the old names from one moment to the next. What the
   live sink wrote to the old ones last is read into the new ones, too: before the swap where the sink can be
   held back until it is done, else behind it, and a note with the new ones tells the next rebuild what is
   missing where this one dies before. Writes are guarded by versions, so that twice is once.
"""

from collections.abc import Callable
from typing import NamedTuple

import structlog

from connectors.runtime.dead_letters import DeadLetterTopic
from sinks.rebuild.beside import Beside, beside
from sinks.rebuild.comparing import compared
from sinks.verify.findings import Findings
from sinks.verify.reading import Reading, Tell, silent
from sinks.verify.spans import Offsets, spans
from sinks.verify.verify import Verification
from sinks.views import Choice
from topics.producer import MessageProducer
from topics.settings import Settings

log = structlog.get_logger(__name__)

NAME = "rebuild"

Decide = Callable[[Findings], bool]
"""Tells, knowing how the new ones differ from the live ones, whether to swap."""


class OldKeptError(Exception):
    """The old ones of an earlier rebuild are still there."""


class Rebuilt(NamedTuple):
    """What became of a rebuild: how many records were read, how the new views differ, whether they serve.

    `resumed` tells that it was only the end of an earlier one, which was interrupted behind its swap.
    """

    records: int
    findings: Findings
    swapped: bool
    old: list[str]
    resumed: bool = False


class Rebuild:
    """One rebuild of the chosen views; the live sink's group is the one in whose name records are refused."""

    def __init__(
        self,
        settings: Settings,
        choice: Choice,
        producer: MessageProducer,
        *,
        place: Beside | None = None,
        archive: str | None = None,
        tell: Tell = silent,
    ) -> None:
        self._settings = settings
        self._choice = choice
        self._archive = archive
        self._beside = place or beside(settings, choice)
        letters = DeadLetterTopic(producer, NAME, choice.group)
        self._reading = Reading(NAME, settings, choice, make=self._beside.sink, letters=letters, tell=tell)
        self._since: Offsets = {}
        self._ends: Offsets = {}

    async def run(self, decide: Decide) -> Rebuilt:
        """Rebuild, and swap where `decide` says so; the new ones are dropped where it does not.

        One that was interrupted behind its swap is only completed. Raises OldKeptError where an earlier
        rebuild's old ones are still kept, and what the clients raise.
        """
        if await self._beside.resume(self._read_on):
            return await self._resumed()
        if kept := await self._beside.old():
            raise OldKeptError(", ".join(kept))
        await self._beside.prepare()
        there = await spans(self._settings, self._choice.topics)
        removed = dict(there.removed)
        if removed and self._archive:
            removed = await self._reading.archive(self._archive, removed)
        await self._reading.topics(there.starts, there.ends)
        self._ends = there.ends
        await self.catch_up()
        findings = await compared(self._settings, self._choice, self._beside, self.catch_up, removed)
        records = sum(self._ends.values()) - sum(there.starts.values())
        if not decide(findings):
            await self._beside.drop()
            return Rebuilt(records, findings, swapped=False, old=[])
        await self._beside.swap(self.catch_up)
        log.info("rebuild.swapped", view=self._choice.name, records=records)
        return Rebuilt(records, findings, swapped=True, old=await self._beside.old())

    async def catch_up(self) -> Offsets:
        """Read on to where the topics end now, and return those offsets."""
        now = await spans(self._settings, self._choice.topics)
        await self._reading.topics(self._ends, now.ends)
        self._ends = now.ends
        return now.ends

    async def _read_on(self, since: Offsets) -> None:
        """Read up to where the topics end now: from these offsets, or from the start of what has none."""
        now = await spans(self._settings, self._choice.topics)
        self._ends = {place: max(start, since.get(place, 0)) for place, start in now.starts.items()}
        self._since = self._ends
        await self.catch_up()

    async def _resumed(self) -> Rebuilt:
        records = sum(self._ends.values()) - sum(self._since.values())
        log.info("rebuild.completed", view=self._choice.name, records=records)
        findings = await Verification(self._settings, self._choice, self._archive).run()
        return Rebuilt(records, findings, swapped=True, old=await self._beside.old(), resumed=True)
