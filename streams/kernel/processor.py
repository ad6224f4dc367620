"""Deciding: raw records of one partition in, one batch of changes and outputs out. No I/O but store reads."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import structlog

from schemas.check import check_of
from schemas.envelope import Message
from streams.kernel.batch import Batch, output_size
from streams.kernel.dead_letters import dead_letter
from streams.kernel.errors import (
    CorruptStateError,
    InvalidDecisionError,
    MissingPartError,
    TooLargeError,
    TransientError,
    UnusableKeyError,
)
from streams.kernel.flow import Decision, Flow, Route
from streams.kernel.layout import NUL
from streams.kernel.outputs import encode_outputs
from streams.kernel.ports import Clock, Output, Record
from streams.kernel.view import StateView
from topics.dead_letter import said
from topics.skips import NONE, SkippedError, Skips
from topics.topic import Kind, Topic
from topics.wire import decode

S = TypeVar("S", bound=msgspec.Struct)

log = structlog.get_logger(__name__)

# Beyond this a batch is closed early: broker round trips are paid by then, and latency is not.
ENOUGH_BYTES = 512 * 1024
MAX_ATTEMPTS = 5
MAX_KEY_BYTES = 1_024
"""Longer keys are no ids: no view could have them in an index."""
FIRST_BACKOFF_S = 0.05


class Processor(Generic[S]):
    """Runs a flow's handlers over micro-batches of one partition.

    A record whose key, value, bounds (`schemas.bounds`) or handler is in error becomes a dead letter of its
    topic's domain and the rest goes on; `TransientError` is tried `MAX_ATTEMPTS` times first.
    `max_batch_bytes` bounds what one batch may come to, because it must be one record batch of the changelog.
    """

    def __init__(self, flow: Flow[S], clock: Clock, max_batch_bytes: int, skips: Skips = NONE) -> None:
        self._flow = flow
        self._clock = clock
        self._skips = skips
        self._max_batch_bytes = max_batch_bytes
        self._routes: dict[str, tuple[Route[S, Any], frozenset[str]]] = {
            route.topic.name: (route, frozenset(topic.name for topic in route.emits)) for route in flow.routes
        }
        self._checks = {
            route.topic.name: check_of(route.topic.data, ids=flow.ids, keyed_by_id=route.topic.key != "sku")
            for route in flow.routes
            if route.topic.kind is Kind.COMMAND
        }
        self._delivered: dict[str, int] = {}
        self._failing: tuple[str, int] | None = None
        self._attempts = 0

    def run(self, records: Sequence[Record], view: StateView[S], positions: Mapping[str, int]) -> Batch:
        """Decide `records` in order, from the front, until they are done or the batch is large enough.

        The changes stay staged in `view`: the caller settles or discards them. Records at or below
        `positions` (topic -> offset) are skipped. Raises CorruptStateError where the state does not decode.
        """
        while True:
            batch = self._decide(records, view, positions)
            unfit = self._encode(batch, view)
            if unfit is None:
                return batch
            view.discard()
            if batch.decided == 1:
                return self._decide(records[: batch.consumed], view, positions, refusal=unfit)
            records = records[: batch.consumed // 2]

    def _encode(self, batch: Batch, view: StateView[S]) -> Exception | None:
        """Add the changed states' bytes to the batch; return why it cannot be written, if it cannot."""
        try:
            batch.changes = view.encode()
        except (msgspec.MsgspecError, OverflowError, TypeError, ValueError) as error:
            return error
        if (size := batch.size()) > self._max_batch_bytes:
            return TooLargeError(f"the decision has {size} bytes, over {self._max_batch_bytes}")
        return None

    def _decide(
        self,
        records: Sequence[Record],
        view: StateView[S],
        positions: Mapping[str, int],
        refusal: Exception | None = None,
    ) -> Batch:
        batch = Batch()
        applied = batch.positions
        outputs = batch.outputs
        now = self._clock()
        for record in records:
            topic = record.topic
            if record.offset <= applied.get(topic, positions.get(topic, -1)):
                batch.consumed += 1
                batch.skipped += 1
                continue
            batch.missing += self._gap_before(record)
            try:
                made = self._apply(record, view, now, refusal)
            except CorruptStateError as error:
                self._stopped_by(record, error)
                raise
            except TransientError as error:
                backoff = self._backoff(record)
                if backoff is not None:
                    batch.retry_in = backoff if not batch.decided else 0.0
                    break
                made = [self._bury(record, error, now)]
                batch.dead_letters += 1
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, the partition goes on
                made = [self._bury(record, error, now)]
                batch.dead_letters += 1
            outputs += made
            applied[topic] = record.offset
            batch.consumed += 1
            batch.decided += 1
            for output in made:
                batch.output_bytes += output_size(output)
            if batch.output_bytes > ENOUGH_BYTES:
                break
        return batch

    def _apply(self, record: Record, view: StateView[S], now: int, refusal: Exception | None) -> list[Output]:
        if refusal is not None:
            raise refusal
        if self._skips and (skipped := self._skipped(record)):
            raise skipped
        route, declared = self._routes[record.topic]
        key, value = record.key, record.value
        if not key:
            raise MissingPartError(f"the record has no key ({route.topic.key})")
        _check_key(key)
        if value is None:
            raise MissingPartError("the record has no value")
        message = decode(route.topic, value)
        check = self._checks.get(record.topic)
        if check is not None:
            check(message)
        state = view.get(key)
        if route.topic is self._flow.timer:
            message = self._continued(message, state)
        decision: Decision[S] = route.handler(state, message)
        made = (
            encode_outputs(decision.outputs, message, record.headers, declared, self._flow.name, now)
            if decision.outputs
            else []
        )
        after = decision.state
        if after is not state:
            if after is not None and type(after) is not self._flow.table.record:
                raise InvalidDecisionError(
                    f"a {type(after).__name__} is no {self._flow.table.record.__name__}"
                )
            view.put(key, after)
        return made

    def _skipped(self, record: Record) -> SkippedError | None:
        return self._skips.of(self._flow.name, record.topic, record.partition, record.offset)

    def _stopped_by(self, record: Record, error: CorruptStateError) -> None:
        place = f"{record.topic}/{record.partition}/{record.offset}"
        log.error(
            "a record stops its partition",
            flow=self._flow.name,
            place=place,
            error=str(error),
            way_out=f"ecommerce dlq skip {place} --consumer {self._flow.name} --because ...",
        )

    def _continued(self, woken: Message[Any], state: S | None) -> Message[Any]:
        """Return a timer's message under the correlation in whose name the state has waited."""
        correlation = self._flow.correlation
        waited = correlation(state) if correlation is not None and state is not None else ""
        return msgspec.structs.replace(woken, correlation_id=waited) if waited else woken

    def _gap_before(self, record: Record) -> int:
        """Return how many offsets are missing between a topic's last delivered record and this one."""
        last = self._delivered.get(record.topic, record.offset)
        self._delivered[record.topic] = record.offset
        gap = record.offset - last - 1
        if gap <= 0:
            return 0
        log.error(
            "records missing",
            flow=self._flow.name,
            topic=record.topic,
            partition=record.partition,
            after=last,
            count=gap,
        )
        return gap

    def _backoff(self, record: Record) -> float | None:
        """Return how long (s) to wait before the next attempt, or None where it was the last."""
        place = (record.topic, record.offset)
        self._attempts = self._attempts + 1 if self._failing == place else 1
        self._failing = place
        if self._attempts >= MAX_ATTEMPTS:
            return None
        return FIRST_BACKOFF_S * 2.0 ** (self._attempts - 1)

    def _bury(self, record: Record, error: Exception, now: int) -> Output:
        topic: Topic[Any] = self._routes[record.topic][0].topic
        attempt = self._attempts if self._failing == (record.topic, record.offset) else 1
        log.warning(
            "record dead-lettered",
            flow=self._flow.name,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=type(error).__name__,
            reason=said(error)[:200],
        )
        return dead_letter(
            record, topic.dead_letters, error, flow=self._flow.name, attempt=attempt, failed_at=now
        )


def _check_key(key: bytes) -> None:
    if len(key) > MAX_KEY_BYTES:
        raise UnusableKeyError(f"the key has {len(key)} bytes, over {MAX_KEY_BYTES}")
    if NUL in key:
        raise UnusableKeyError(f"the key {key!r} holds NUL, which sets the table's own entries apart")
    key.decode()
