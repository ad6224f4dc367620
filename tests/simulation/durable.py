"""What outlives a process: the changelog on the broker, and the store on a worker's disk."""

from collections.abc import Sequence

from streams.kernel.errors import OwnershipLostError
from streams.kernel.layout import OUTBOX, OWNER, decode_position, position_key
from streams.kernel.memory import MemoryStore
from streams.kernel.ports import Clock, Entry
from tests.simulation.effects import effect

_POSITIONS = position_key("")


class Changelog:
    """A compacted changelog partition; from a new owner's first record on, those before it are refused."""

    def __init__(self) -> None:
        self.records: list[tuple[int, bytes, bytes | None]] = []
        self.end = 0
        self.epoch = 0
        self.decided_again: list[str] = []
        self._positions: dict[bytes, int] = {}
        # When (ms) the outputs were decided that a next owner would send again.
        self.outbox_since: int | None = None

    def acquire(self) -> int:
        """Become the owner: fence everyone before, and return the new epoch."""
        self.epoch += 1
        self.records.append((self.end, OWNER, str(self.epoch).encode()))
        self.end += 1
        return self.epoch

    def append(self, epoch: int, entries: Sequence[Entry], now: int) -> int:
        """Append one record batch at `now` (ms); raises OwnershipLostError for an owner of the past."""
        if not self.accepts(epoch):
            raise OwnershipLostError(f"epoch {epoch}, but the owner's is {self.epoch}")
        if self.outbox_since is not None and all(key != OUTBOX for key, _ in entries):
            self.decided_again.append("outputs are sent again of the last batch alone: older ones are left")
        for key, value in entries:
            self.records.append((self.end, key, value))
            self.end += 1
            if key == OUTBOX:
                self.outbox_since = None if value is None else now
            if key.startswith(_POSITIONS):
                if value is None:
                    # Its topic was made anew, and begins at 0.
                    self._positions.pop(key, None)
                else:
                    self._advance(key, decode_position(value))
        return self.end - 1

    def _advance(self, key: bytes, position: int) -> None:
        """A position only grows: what is at or below it was decided, once."""
        known = self._positions.get(key, -1)
        if position <= known:
            topic = key.removeprefix(_POSITIONS).decode()
            self.decided_again.append(f"a record is decided once: offset {position} of {topic} is again")
        self._positions[key] = position

    def accepts(self, epoch: int) -> bool:
        """Say whether the broker takes batches of this epoch."""
        return epoch == self.epoch

    def compact(self) -> int:
        """Keep the last record of each key, as the broker's cleaner does; return how many went."""
        last = {key: offset for offset, key, _ in self.records}
        kept = [record for record in self.records if last[record[1]] == record[0]]
        gone = len(self.records) - len(kept)
        self.records = kept
        return gone

    def restore(self, disk: MemoryStore) -> int:
        """Bring a store up to the end of the changelog; return how many records that took."""
        behind = [record for record in self.records if record[0] > disk.offset]
        disk.write([(key, value) for _, key, value in behind], self.end - 1)
        return len(behind)

    def states(self) -> dict[bytes, bytes]:
        """Return what a store restored from nothing would hold."""
        disk = MemoryStore()
        self.restore(disk)
        return disk.entries


class ChangelogWriter:
    """One owner's way into a changelog partition."""

    def __init__(self, changelog: Changelog, clock: Clock) -> None:
        self._changelog = changelog
        self._clock = clock
        self.epoch = changelog.acquire()

    async def append(self, entries: Sequence[Entry]) -> int:
        """Append atomically; return the last offset when the broker's answer is there."""
        await effect("changelog: sent")
        offset = self._changelog.append(self.epoch, entries, self._clock())
        await effect("changelog: acknowledged")
        return offset
