"""Incremental fetch sessions (KIP-227) under an aiokafka consumer, which has none of its own.

Without them every fetch names all partitions and every answer has all of them: a worker of 170 partitions
paid more for a fetch of one record than for the record. In a session the broker remembers what is fetched; a
request names what changed, an answer what has come. The rules of a session's ids and epochs are KIP-227's.

The broker pays for each fetch by the partitions in its session, and for each record by the fetches that wait
for it. So partitions that get their records by another way (`Fed`) have a session of their own, that never
waits and is asked now and then.

This room reaches into aiokafka's fetcher; `tests/unit/topics` pins what it relies on.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

_NO_SESSION: Final = 0
_FIRST_EPOCH: Final = 0
_LAST_EPOCH: Final = 2**31 - 1
_WITH_SESSIONS: Final = 7

LOOK_S: Final = 0.2
"""How often partitions that are fed are looked at: no record that came otherwise waits longer."""
_LOOK_MS: Final = int(LOOK_S * 1000)

_Position = tuple[int, int]
"""An offset and the most bytes to fetch from it."""

_Place = tuple[str, int]


Others = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Tells which of some topics are not (any more) those that the consumer's positions belong to."""


Fed = Callable[[], Mapping[_Place, int]]
"""Tells which partitions get their records by another way, and up to which offset (0: nothing is known)."""

Seek = Callable[[str, int, int], bool]
"""Moves the position in a topic's partition to an offset; tells whether the consumer has the partition."""


def keep_fetch_sessions(
    consumer: AIOKafkaConsumer, others: Others | None = None, fed: Fed | None = None
) -> "FetchingClient":
    """Let a started consumer fetch in sessions from now on (see `FetchingClient`)."""
    fetcher: Any = consumer._fetcher  # noqa: SLF001 - aiokafka lets nobody replace its fetcher

    def seek(topic: str, partition: int, offset: int) -> bool:
        place = TopicPartition(topic, partition)
        owned = place in consumer.assignment()
        if owned:
            fetcher.seek_to(place, offset)
        return owned

    client = FetchingClient(fetcher._client, others, fed, seek)  # noqa: SLF001 - the fetcher sends by it alone
    fetcher._client = client  # noqa: SLF001 - the same
    return client


class FetchingClient:
    """A fetcher's client over aiokafka's: its fetches go in sessions, all else as ever.

    A fetch names topics, so that one that was deleted and created again would be read on where the old one
    was left. `others` is asked wherever that may have happened: where a partition's answer is an error, or
    has its first records, and at the first answer of each session. Topics that it names are held: nothing of
    them is fetched or handed on until `release`.

    Partitions that are `fed` are looked at every LOOK_S seconds, behind what they have: `seek` lets the
    consumer go on there. While a look finds something, every second fetch is one.
    """

    def __init__(
        self, client: Any, others: Others | None = None, fed: Fed | None = None, seek: Seek | None = None
    ) -> None:
        self._client = client
        self._others = others
        self._fed = fed
        self._seek = seek
        self._sessions: dict[_Asking, FetchSession] = {}
        self._looked: dict[int, float] = {}
        self._found: set[int] = set()
        self.held: frozenset[str] = frozenset()
        """The topics that are held."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        """Send a request; raises what the client below raises."""
        if not isinstance(request, FetchRequest):
            return await self._client.send(node_id, request, **options)
        wanted = _wanted(request, self.held)
        fed = self._fed() if self._fed is not None else {}
        wait_ms: int = request._max_wait_ms  # noqa: SLF001 - it has no other way
        if not fed or fed.keys() >= wanted.keys():
            return await self._fetch((node_id, False), request, wanted, wait_ms, options)
        now = time.monotonic()
        if node_id in self._found:
            self._found.discard(node_id)
            wait_ms = 0
        elif now - self._looked.get(node_id, float("-inf")) >= LOOK_S:
            found = await self._fetch((node_id, True), request, self._behind(wanted, fed), 0, options)
            if any(error_code or records for _, told in found.topics for _, error_code, *_, records in told):
                self._found.add(node_id)
                return found
            self._looked[node_id] = now
        rest = {place: position for place, position in wanted.items() if place not in fed}
        return await self._fetch((node_id, False), request, rest, min(wait_ms, _LOOK_MS), options)

    def _behind(
        self, wanted: Mapping[_Place, _Position], fed: Mapping[_Place, int]
    ) -> dict[_Place, _Position]:
        """Return the fed partitions, each from where it has nothing yet."""
        behind: dict[_Place, _Position] = {}
        for place, (offset, most) in wanted.items():
            end = fed.get(place)
            if end is None:
                continue
            if end > offset and (self._seek is None or not self._seek(*place, end)):
                continue
            behind[place] = max(offset, end), most
        return behind

    async def _fetch(
        self,
        asking: "_Asking",
        request: FetchRequest,
        wanted: dict[_Place, _Position],
        wait_ms: int,
        options: Mapping[str, Any],
    ) -> Any:
        session = self._sessions.setdefault(asking, FetchSession())
        first = session.fresh
        incremental = session.request(request, wanted)
        incremental._max_wait_ms = wait_ms  # noqa: SLF001 - as aiokafka has it
        try:
            response = await self._client.send(asking[0], incremental, **options)
        except BaseException:
            # Whether the broker has counted this request is unknown, cancelled ones included.
            self._begin_anew(asking, session)
            raise
        session.answered(response)
        incremental.leave_unwanted(response)
        if self._others is not None:
            try:
                await self._hold(self._others, incremental, response, every=first)
            except BaseException:
                # What this answer has is not handed on: the broker has to tell it again.
                self._begin_anew(asking, session)
                raise
        # The fetcher looks up where each partition of the answer was fetched from, and no others.
        request._topics = incremental.named(response)  # noqa: SLF001 - one request, used once
        return response

    def release(self) -> None:
        """Fetch everything again: all positions are in the topics that are there."""
        self.held = frozenset()
        for asking, session in list(self._sessions.items()):
            self._begin_anew(asking, session)

    def _begin_anew(self, asking: "_Asking", session: "FetchSession") -> None:
        """Have the node's next request begin anew.

        In a session of its own: a request that is under way, whose answer comes later, goes on in the one in
        which it was made, and must not tell the next what the broker knows.
        """
        if self._sessions.get(asking) is session:
            self._sessions[asking] = session.successor()

    async def _hold(self, others: Others, asked: "IncrementalFetch", response: Any, *, every: bool) -> None:
        doubtful = {
            topic
            for topic, partitions in response.topics
            if every
            or any(
                # A partition that was empty before and after has no position that would be out of range.
                error_code or (records and asked.offset(topic, partition) == 0)
                for partition, error_code, *_, records in partitions
            )
        } - self.held
        if doubtful:
            self.held |= frozenset(await others(doubtful))
        response.topics = [each for each in response.topics if each[0] not in self.held]


class FetchSession:
    """One node's session, from the client's side: what the broker knows of, and under which epoch."""

    def __init__(self, closes: int = _NO_SESSION) -> None:
        self._id = closes
        self._epoch = _FIRST_EPOCH
        self._known: dict[_Place, _Position] = {}

    @property
    def fresh(self) -> bool:
        """Whether the next request begins anew."""
        return self._epoch == _FIRST_EPOCH

    def reset(self) -> None:
        """Begin anew with the next request, which closes the session that was."""
        self._epoch = _FIRST_EPOCH
        self._known = {}

    def successor(self) -> "FetchSession":
        """Return a session that begins anew with its first request, which closes this one."""
        return FetchSession(self._id)

    def request(self, full: FetchRequest, wanted: dict[_Place, _Position]) -> "IncrementalFetch":
        """Return the request that brings the broker from what it knows to what is `wanted` of `full`."""
        known = self._known
        changed = [place for place, position in wanted.items() if known.get(place) != position]
        forgotten = [place for place in known if place not in wanted]
        self._known = wanted
        return IncrementalFetch(full, (self._id, self._epoch), wanted, changed, forgotten)

    def answered(self, response: Any) -> None:
        """Take note of what the broker says of the session."""
        if response.API_VERSION < _WITH_SESSIONS:
            return
        refused = kafka_errors.for_code(response.error_code) is not kafka_errors.NoError
        self._id = _NO_SESSION if refused else response.session_id
        if self._id == _NO_SESSION:
            # It has forgotten the session, or has no room for one.
            self.reset()
        else:
            self._epoch = 1 if self._epoch == _LAST_EPOCH else self._epoch + 1


class IncrementalFetch(FetchRequest):  # type: ignore[misc]  # aiokafka is untyped
    """A fetch of all that `full` names, of which only the changes are written."""

    def __init__(
        self,
        full: FetchRequest,
        session: tuple[int, int],
        wanted: dict[_Place, _Position],
        changed: Iterable[_Place],
        forgotten: Iterable[_Place],
    ) -> None:
        self.__dict__.update(full.__dict__)
        self._session = session
        self._wanted = wanted
        self._changed = changed
        self._forgotten = forgotten

    def build(self, request_struct_class: Any) -> Any:
        """Return the request in the version that the broker speaks."""
        if request_struct_class.API_VERSION < _WITH_SESSIONS:
            return super().build(request_struct_class)
        self._topics = self._positions(self._changed)
        struct = super().build(request_struct_class)
        struct.session_id, struct.session_epoch = self._session
        struct.forgotten_topics_data = _by_topic((topic, partition) for topic, partition in self._forgotten)
        return struct

    def leave_unwanted(self, response: Any) -> None:
        """Leave out of an answer what was not asked for: nobody knows from where it was fetched."""
        response.topics = [
            (topic, wanted)
            for topic, partitions in response.topics
            if (wanted := [each for each in partitions if (topic, each[0]) in self._wanted])
        ]

    def offset(self, topic: str, partition: int) -> int:
        """Return where a partition is fetched from."""
        return self._wanted[topic, partition][0]

    def named(self, response: Any) -> list[tuple[str, list[tuple[int, int, int]]]]:
        """Return where each partition of the answer was to be fetched from."""
        return self._positions(
            (topic, partition) for topic, partitions in response.topics for partition, *_ in partitions
        )

    def _positions(self, places: Iterable[_Place]) -> list[tuple[str, list[tuple[int, int, int]]]]:
        return _by_topic((topic, (partition, *self._wanted[topic, partition])) for topic, partition in places)


_Asking = tuple[int, bool]
"""A node, and whether what is fed is asked for."""


def _wanted(request: FetchRequest, held: Collection[str]) -> dict[_Place, _Position]:
    return {
        (topic, partition): (offset, most)
        for topic, partitions in request.topics
        if topic not in held
        for partition, offset, most in partitions
    }


def _by_topic(parts: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    grouped: dict[str, list[Any]] = {}
    for topic, part in parts:
        grouped.setdefault(topic, []).append(part)
    return list(grouped.items())
