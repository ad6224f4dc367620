"""What a worker counts: once per batch, never per record."""

from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.kernel.batch import Batch

_SIZES = (1, 3, 10, 30, 100, 300, 1_000, 3_000)
_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)


class _OfFlow(NamedTuple):
    """A flow's own meters: finding them by its name takes longer than counting."""

    batches: Counter
    records: Counter
    outputs: Counter
    size: Histogram
    seconds: Histogram


class Meters:
    """Prometheus metrics of one worker, by flow."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._known: dict[str, _OfFlow] = {}
        flow = ("flow",)
        self._batches = Counter(
            "ecommerce_stream_batches", "Units of work carried out.", flow, registry=registry
        )
        self._records = Counter(
            "ecommerce_stream_records", "Source records decided.", flow, registry=registry
        )
        self._skipped = Counter(
            "ecommerce_stream_records_skipped",
            "Source records delivered again that were part of the state already.",
            flow,
            registry=registry,
        )
        self._outputs = Counter("ecommerce_stream_outputs", "Records emitted.", flow, registry=registry)
        self._dead_letters = Counter(
            "ecommerce_stream_dead_letters", "Source records dead-lettered.", flow, registry=registry
        )
        self._missing = Counter(
            "ecommerce_stream_records_missing",
            "Source offsets that were never delivered (deleted by retention before they were read, or lost).",
            flow,
            registry=registry,
        )
        self._timers = Counter("ecommerce_stream_timers", "Timers fired.", flow, registry=registry)
        self._size = Histogram(
            "ecommerce_stream_batch_records",
            "Records per unit of work.",
            flow,
            registry=registry,
            buckets=_SIZES,
        )
        self._seconds = Histogram(
            "ecommerce_stream_batch_seconds",
            "Seconds per unit of work, the broker's answers included.",
            flow,
            registry=registry,
            buckets=_SECONDS,
        )
        self._partitions = Gauge(
            "ecommerce_stream_partitions", "Partitions this worker owns.", flow, registry=registry
        )
        self._standbys = Gauge(
            "ecommerce_stream_standby_partitions",
            "Other workers' partitions whose state this worker follows.",
            flow,
            registry=registry,
        )
        self._followed = Counter(
            "ecommerce_stream_standby_records",
            "Records of other workers' changelogs applied.",
            flow,
            registry=registry,
        )
        self._behind = Gauge(
            "ecommerce_stream_standby_behind_records",
            "Records that followed state lacks of its changelogs.",
            flow,
            registry=registry,
        )
        self._standstill = Gauge(
            "ecommerce_stream_standstill_seconds",
            "Seconds for which nothing has moved in this worker although it has something to do.",
            registry=registry,
        )

    def batch(self, flow: str, batch: Batch, seconds: float) -> None:
        """Count one unit of work."""
        known = self._known.get(flow)
        if known is None:
            known = self._known[flow] = _OfFlow(
                self._batches.labels(flow),
                self._records.labels(flow),
                self._outputs.labels(flow),
                self._size.labels(flow),
                self._seconds.labels(flow),
            )
        known.batches.inc()
        known.records.inc(batch.decided)
        known.outputs.inc(len(batch.outputs))
        known.size.observe(batch.decided)
        known.seconds.observe(seconds)
        if batch.skipped:
            self._skipped.labels(flow).inc(batch.skipped)
        if batch.missing:
            self._missing.labels(flow).inc(batch.missing)
        if batch.dead_letters:
            self._dead_letters.labels(flow).inc(batch.dead_letters)

    def timers(self, flow: str, count: int) -> None:
        """Count timers that were sent."""
        self._timers.labels(flow).inc(count)

    def standstill(self, seconds: float) -> None:
        """Tell for how long nothing has moved that should; 0 where all is well."""
        self._standstill.set(seconds)

    def standby(self, flow: str, partitions: int, behind: int) -> None:
        """Tell how many partitions of a flow are followed, and how many records they lack in sum."""
        self._standbys.labels(flow).set(partitions)
        self._behind.labels(flow).set(behind)

    def followed(self, flow: str, records: int) -> None:
        """Count records applied to state that is followed."""
        self._followed.labels(flow).inc(records)

    def partitions(self, flow: str, count: int) -> None:
        """Tell how many partitions of a flow are owned."""
        self._partitions.labels(flow).set(count)
