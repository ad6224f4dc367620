"""The live end of the outcome topics: whoever waits for a key hears of it as soon as the broker has it.

One consumer without a group reads every partition from its end. A record whose key nobody waits for is
dropped before it is decoded, and before the loop hears of it. A command that became a dead letter is told to
who waits for that command.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import stamina
import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import TopicDescription

from api.heard import Headers, Heard, buried
from api.listening import Listening, Record, Wants
from schemas.codec import UndecodableError
from topics.identity import LOOK_S, changed, there
from topics.offsets import Place, await_leaders
from topics.settings import Settings
from topics.topic import RawTopic, Topic
from topics.wire import decode

_log = structlog.get_logger()

# More than this many unread messages of one key means that its reader is gone or stuck.
_LONGEST_QUEUE = 1000
_ANSWER_S = 5.0

Listener = Callable[[bytes, bytes], None]


class TailEndedError(Exception):
    """Nothing is heard any more."""


class UnknownTopicsError(Exception):
    """Topics that are to be heard are not there."""


class Subscription:
    """Messages of one key from the given topics, in the order in which they were heard.

    Close it when nobody reads it any more; as a context manager it does so itself.
    """

    def __init__(self, topics: frozenset[str], closing: "Callable[[Subscription], None]") -> None:
        self.topics = topics
        self._closing = closing
        self._queue: asyncio.Queue[Heard] = asyncio.Queue(_LONGEST_QUEUE)
        self._stuck = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hear nothing more."""
        self._closing(self)

    def offer(self, heard: Heard) -> None:
        """Queue a message; a reader that lags by a thousand loses the newest ones."""
        try:
            self._queue.put_nowait(heard)
        except asyncio.QueueFull:
            if not self._stuck:
                _log.warning("tail_reader_stuck", topic=heard.topic.name, key=heard.message.aggregate_id)
            self._stuck = True

    async def next(self, seconds: float) -> Heard | None:
        """Return the next message, or None when none came in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._queue.get()
        except TimeoutError:
            return None

    async def first(self, matches: Callable[[Heard], bool], seconds: float) -> Heard | None:
        """Return the first message that matches, or None when none came in time."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    heard = await self._queue.get()
                    if matches(heard):
                        return heard
        except TimeoutError:
            return None


class Dispatcher:
    """Who waits for which key; hands each record on to them. `letters` are topics of dead letters."""

    def __init__(self, topics: Iterable[Topic[Any]], letters: Iterable[RawTopic] = ()) -> None:
        self._topics: dict[str, Topic[Any]] = {topic.name: topic for topic in topics}
        self._letters = frozenset(topic.name for topic in letters)
        self._waiting: dict[bytes, set[Subscription]] = {}
        self._commands: dict[str, set[Subscription]] = {}
        self._listeners: dict[str, Listener] = {}

    @property
    def names(self) -> list[str]:
        """Return the names of the topics that are listened to."""
        return [*self._topics, *self._letters]

    def subscribe(
        self, key: str, topics: Iterable[Topic[Any]], command_id: str | None = None
    ) -> Subscription:
        """Hear of `key` on `topics` from now on; begin before sending the command that is waited for.

        With `command_id`, hear also of that command's dead letter, whatever its key.
        """
        names = frozenset(topic.name for topic in topics)
        if unknown := names - self._topics.keys():
            raise ValueError(f"the tail does not listen to {', '.join(sorted(unknown))}")
        encoded = key.encode()

        def forget(subscription: Subscription) -> None:
            waiting = self._waiting.get(encoded, set())
            waiting.discard(subscription)
            if not waiting:
                self._waiting.pop(encoded, None)
            if command_id is not None and (sent := self._commands.get(command_id)) is not None:
                sent.discard(subscription)
                if not sent:
                    del self._commands[command_id]

        subscription = Subscription(names, forget)
        self._waiting.setdefault(encoded, set()).add(subscription)
        if command_id is not None:
            self._commands.setdefault(command_id, set()).add(subscription)
        return subscription

    def awaits(self, command_id: str) -> bool:
        """Whether somebody here waits for the end of a command."""
        return command_id in self._commands

    def listen(self, topic: Topic[Any], listener: Listener) -> None:
        """Hand every record of `topic` that has a key and a value to its one listener, undecoded."""
        self._listeners[topic.name] = listener

    def wants(self, topic_name: str, key: bytes | None) -> bool:
        """Whether a record would be handed on at all; may be asked on any thread.

        Who waits for the outcome of a command was there before the command, so nothing is missed.
        """
        if topic_name in self._letters:
            return bool(self._commands)
        return key is not None and (key in self._waiting or topic_name in self._listeners)

    def dispatch(
        self, topic_name: str, key: bytes | None, value: bytes | None, headers: Headers = ()
    ) -> None:
        """Hand one record to the topic's listener, and to whoever waits for its key on its topic.

        A dead letter goes to who waits for the command that it was.
        """
        if topic_name in self._letters:
            if self._commands and (letter := buried(topic_name, value, headers)) is not None:
                for each in self._commands.get(letter.message.event_id, ()):
                    each.offer(letter)
            return
        if key is not None and value is not None and (listener := self._listeners.get(topic_name)):
            listener(key, value)
        waiting = self._waiting.get(key) if key is not None else None
        if not waiting or value is None:
            return
        interested = [each for each in waiting if topic_name in each.topics]
        if not interested:
            return
        topic = self._topics[topic_name]
        try:
            heard = Heard(topic, decode(topic, value))
        except UndecodableError as error:
            _log.warning("tail_undecodable", topic=topic_name, error=str(error))
            return
        for each in interested:
            each.offer(heard)


class Tail(Dispatcher):
    """A dispatcher fed by the broker. Use it as an async context manager."""

    def __init__(
        self, settings: Settings, topics: Iterable[Topic[Any]], letters: Iterable[RawTopic] = ()
    ) -> None:
        super().__init__(topics, letters)
        self._settings = settings
        self._ids: Mapping[str, str] = {}
        self._listening: Listening | None = None
        self._watching: asyncio.Task[None] | None = None

    def reading(self) -> bool:
        """Whether it still hears what the broker has."""
        return self._listening is not None and not self._listening.ended.done()

    async def check(self) -> None:
        """Ask the broker for its metadata; raises where it does not answer or the tail has ended."""
        if not self.reading():
            raise TailEndedError("the tail is not reading")
        await asyncio.to_thread(there, self._settings, self.names[:1], _ANSWER_S)

    async def __aenter__(self) -> Self:
        # The positions stand before the first command is sent, or its outcome could be missed.
        positions = await self._ends()
        wants = Wants(self.wants, self._letters.__contains__)
        self._listening = Listening(self._settings, positions, wants, self.take)
        self._listening.ended.add_done_callback(_report_end)
        self._watching = asyncio.create_task(self._watch(self._listening), name="tail-topics")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._listening is not None:
            self._listening.ended.remove_done_callback(_report_end)
            await self._listening.close()

    def take(self, records: Iterable[Record]) -> None:
        """Hand records on."""
        for record in records:
            try:
                self.dispatch(*record)
            except Exception as error:  # noqa: BLE001 # one record must not end everybody's hearing
                _log.warning("tail_unusable", topic=record.topic, error=repr(error))

    @stamina.retry(on=UnknownTopicsError, attempts=None, timeout=20.0, wait_initial=0.1, wait_max=1.0)
    async def _ends(self) -> dict[Place, int]:
        """Return where every partition ends; retries until the topics are there.

        Raises confluent_kafka.KafkaException where the broker does not answer, UnknownTopicsError where a
        topic is not there in time.
        """
        found = await asyncio.to_thread(there, self._settings, self.names, _ANSWER_S)
        if absent := self.names - found.keys():
            raise UnknownTopicsError(", ".join(sorted(absent)))
        self._ids = {name: str(each.topic_id) for name, each in found.items()}
        return await asyncio.to_thread(await_leaders, self._settings, _places(found))

    async def _watch(self, listening: Listening) -> None:
        """Begin topics that are made anew at their beginning: the old position is none in them."""
        while True:
            try:
                now = await asyncio.to_thread(there, self._settings, self.names, _ANSWER_S)
                ids = {name: str(each.topic_id) for name, each in now.items()}
                if anew := changed(self._ids, ids):
                    _log.warning("tail_topic_made_anew", topics=anew)
                    places = _places({name: now[name] for name in anew})
                    await asyncio.to_thread(await_leaders, self._settings, places)
                    listening.begin_anew(places)
            except KafkaException as error:
                _log.info("tail_ids_unknown", error=repr(error))
            else:
                self._ids = {**self._ids, **ids}
            await asyncio.sleep(LOOK_S)


def _places(topics: Mapping[str, TopicDescription]) -> set[Place]:
    return {(name, each.id) for name, topic in topics.items() for each in topic.partitions}


def _report_end(ended: "asyncio.Future[None]") -> None:
    if not ended.cancelled():
        _log.error("tail_ended", exc_info=ended.exception())
