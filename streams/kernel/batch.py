"""What one micro-batch comes to, before any of it is written."""

from dataclasses import dataclass, field

from streams.kernel.ports import Entry, Output


@dataclass(slots=True)
class Batch:
    """The decisions over a run of records.

    `consumed` records were taken from the front of the run: decided, dead-lettered or, where the state holds
    them already, skipped. `missing` counts offsets that were never delivered. `retry_in` (seconds) is set
    where the next record must be tried again later. `output_bytes` is about what the outputs take.
    """

    consumed: int = 0
    decided: int = 0
    skipped: int = 0
    dead_letters: int = 0
    missing: int = 0
    outputs: list[Output] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    changes: list[Entry] = field(default_factory=list)
    retry_in: float | None = None
    output_bytes: int = 0

    @property
    def durable(self) -> bool:
        """Whether anything must be written: a batch of records that decided nothing only moves positions."""
        return bool(self.changes or self.outputs)

    def size(self) -> int:
        """Return about how many bytes the batch takes as a record batch of the changelog."""
        changes = sum(len(key) + len(value or b"") + _FRAMING for key, value in self.changes)
        return self.output_bytes + changes


_FRAMING = 32


def output_size(output: Output) -> int:
    """Return about how many bytes an output takes, headers included."""
    size = len(output.topic) + len(output.key or b"") + len(output.value or b"") + _FRAMING
    if output.headers:
        size += sum(len(name) + len(value or b"") for name, value in output.headers)
    return size
