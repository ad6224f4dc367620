"""Commands into topics, and what became of them.

The waiter for a command's outcome is registered before the command is sent. An outcome that comes while no
client waits is written to Redis, where any instance of the API finds it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from api import context
from api.admission.gate import Gate
from api.admission.shares import holding
from api.command_records import CommandRecord, CommandRecords, Status, ended_by
from api.ends import CommandEnds
from api.expectation import Expectation
from api.heard import Heard
from api.outcomes import OF_COMMAND
from api.problems import Problem, unavailable
from api.redis_line import Strings
from api.settings import ApiSettings
from api.tail import Dispatcher, Subscription
from schemas.envelope import Message, fresh_id
from topics.command import command as envelope
from topics.topic import Topic

_log = structlog.get_logger()

_SECOND_LOOK_SECONDS = 1.0


class Producer(Protocol):
    """What the API needs of a producer (`topics.producer.MessageProducer`)."""

    async def send_and_wait(
        self, topic: Topic[Any], key: str, message: Message[Any], headers: Mapping[str, str] | None = None
    ) -> object:
        """Send a message and wait until the broker has it."""
        ...


@dataclass(frozen=True)
class Receipt:
    """A command that the broker has; `heard` is the message that ended it, where it was waited for."""

    command: Message[Any]
    record: CommandRecord
    heard: Heard | None = None

    @property
    def refused(self) -> bool:
        """Whether the command was refused."""
        return self.record.status is Status.REJECTED


class Commands:
    """Sends commands and follows them to their end."""

    def __init__(
        self,
        producer: Producer,
        tail: Dispatcher,
        redis: Strings,
        limits: ApiSettings,
        tenant: str,
        *,
        gate: Gate | None = None,
        ends: CommandEnds | None = None,
    ) -> None:
        self._producer = producer
        self._tail = tail
        self._records = CommandRecords(redis, limits.status_seconds)
        self._limits = limits
        self._tenant = tenant
        self._gate = gate or Gate(limits)
        self._ends = ends
        self._following: set[asyncio.Task[None]] = set()

    async def send(
        self,
        topic: Topic[Any],
        key: str,
        data: msgspec.Struct,
        *,
        owner: str,
        outcome_key: str | None = None,
        user_id: str | None = None,
        command_id: str | None = None,
        wait: float | None = None,
        remember: bool = False,
        ended: Callable[[], Awaitable[bool]] | None = None,
    ) -> Receipt:
        """Send a command; with `wait` (seconds), return its outcome where it comes in time.

        The outcome is keyed by `outcome_key` where it is not keyed like the command. `command_id` becomes the
        message's event id, by which the dataflow knows a repetition. `remember` keeps the command's record
        even when its outcome is returned. `ended` is asked after a second, and then ever less often, whether
        waiting has become vain, because the outcome of a repeated command may have passed. Raises a 503
        Problem where the pipeline is overloaded or the broker does not take the command, 429 where its owner
        or client has too many without an outcome, 413 where it is too large for a record, 422 where it became
        a dead letter.
        """
        self._gate.admit()
        expectation = OF_COMMAND[topic.name]
        message = envelope(
            topic,
            key,
            data,
            event_id=command_id or fresh_id(),
            correlation_id=context.correlation_id.get() or None,
            user_id=user_id,
            tenant_id=self._tenant,
        )
        record = CommandRecord(
            message.event_id,
            topic.name,
            key,
            owner,
            Status.ACCEPTED,
            message.occurred_at,
            outcome_key=outcome_key,
        )
        with ExitStack() as held:
            # Held until the outcome is known, or is no longer looked out for.
            held.enter_context(holding(*self._gate.shares.unanswered(owner)))
            subscription = held.enter_context(
                self._tail.subscribe(outcome_key or key, expectation.topics, message.event_id)
            )
            if wait is None or remember:
                record = await self._records.begin(record)
                if record.status is not Status.ACCEPTED:
                    return Receipt(message, record)
            await self._produce(topic, key, message)
            self._gate.hand.let_go()
            if wait is not None:
                heard = await _outcome(
                    subscription, lambda each: expectation.ends(message.event_id, each), wait, ended
                )
                if heard is not None:
                    record = ended_by(record, heard, expectation)
                    if remember:
                        await self._records.keep(record)
                    if record.status is Status.FAILED:
                        raise _not_carried_out(record)
                    return Receipt(message, record, heard)
                if not remember:
                    record = await self._records.begin(record)
            self._later(self._follow(message, record, expectation, subscription), held.pop_all())
        return Receipt(message, record)

    async def find(self, command_id: str) -> CommandRecord | None:
        """Return what is known of a command; raises a 503 Problem where Redis does not answer.

        Of one whose end nobody is here to hear, the topics are asked.
        """
        record = await self._records.find(command_id)
        if record is None or self._ends is None or self._tail.awaits(command_id):
            return record
        ended = await self._ends.of(record)
        if ended is None:
            return record
        await self._records.keep(ended)
        return ended

    async def close(self) -> None:
        """Stop following commands."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    async def _produce(self, topic: Topic[Any], key: str, message: Message[Any]) -> None:
        try:
            with self._gate.sending():
                await self._producer.send_and_wait(topic, key, message, context.record_headers())
        except MessageSizeTooLargeError as error:
            raise Problem(413, "the command is too large for a record") from error
        except (KafkaError, OSError, TimeoutError) as error:
            _log.warning("command_not_sent", topic=topic.name, error=repr(error))
            raise unavailable("the message broker") from error

    async def _follow(
        self,
        message: Message[Any],
        record: CommandRecord,
        expectation: Expectation,
        subscription: Subscription,
    ) -> None:
        heard = await subscription.first(
            lambda each: expectation.ends(message.event_id, each), self._limits.follow_seconds
        )
        if heard is not None:
            await self._records.keep(ended_by(record, heard, expectation))

    def _later(self, work: Coroutine[Any, Any, None], held: ExitStack) -> None:
        task = asyncio.create_task(work)
        self._following.add(task)
        # Also where it is cancelled before it has begun.
        task.add_done_callback(lambda _: held.close())
        task.add_done_callback(self._followed)
        self._gate.unanswered = len(self._following)

    def _followed(self, task: "asyncio.Task[None]") -> None:
        self._following.discard(task)
        self._gate.unanswered = len(self._following)


def _not_carried_out(record: CommandRecord) -> Problem:
    said = record.outcome or {}
    return Problem(
        422,
        "the command could not be carried out; it is kept, and staff can mend it and send it again",
        kind="not-carried-out",
        reason=said.get("reason"),
        command_id=record.command_id,
    )


async def _outcome(
    subscription: Subscription,
    matches: Callable[[Heard], bool],
    wait: float,
    ended: Callable[[], Awaitable[bool]] | None,
) -> Heard | None:
    if ended is None:
        return await subscription.first(matches, wait)
    deadline, pause = time.monotonic() + wait, _SECOND_LOOK_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        heard = await subscription.first(matches, min(left, pause))
        if heard is not None or await ended():
            return heard
        # What has passed is seen at the first look; after that, who waits longer is to cost less.
        pause *= 2
    return None
