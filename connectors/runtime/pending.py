"""The records in hand: polled, and not yet written and committed."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from connectors.runtime.record import Record


class Pending:
    """Records by partition, each partition in its own order."""

    def __init__(self) -> None:
        self._records: dict[TopicPartition, list[Record]] = {}

    def __bool__(self) -> bool:
        return bool(self._records)

    def add(self, partition: TopicPartition, records: Iterable[Record]) -> None:
        """Append a partition's next records."""
        self._records.setdefault(partition, []).extend(records)

    def records(self) -> Sequence[Record]:
        """Return all records in hand."""
        return [record for records in self._records.values() for record in records]

    def offsets(self) -> Mapping[TopicPartition, int]:
        """Return what to commit once all is written: the offset after each partition's last record."""
        return {partition: records[-1].offset + 1 for partition, records in self._records.items()}

    def forget(self, revoked: Collection[TopicPartition]) -> None:
        """Drop the records of partitions that are no longer ours."""
        for partition in revoked:
            self._records.pop(partition, None)

    def keep(self, assigned: Collection[TopicPartition]) -> None:
        """Drop the records of all partitions but these."""
        self.forget([partition for partition in self._records if partition not in assigned])

    def clear(self) -> None:
        """Forget everything: it is written."""
        self._records.clear()
