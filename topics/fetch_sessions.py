"""Incremental fetch sessions (KIP-227) under an aiokafka consumer, which has none of its own.

Without them every fetch names all partitions and every answer has all of them: a worker of 170 partitions
paid more for a fetch of one record than for the record. In a session the broker remembers what is fetched; a
request names what changed, an answer what has come. The rules of a session's ids and epochs are KIP-227's.

This room reaches into aiokafka's fetcher; `tests/unit/topics` pins what it relies on.
"""

from collections.abc import Iterable
from typing import Any, Final

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer
from aiokafka.protocol.fetch import FetchRequest

_NO_SESSION: Final = 0
_FIRST_EPOCH: Final = 0
_LAST_EPOCH: Final = 2**31 - 1
_WITH_SESSIONS: Final = 7

_Position = tuple[int, int]
"""An offset and the most bytes to fetch from it."""

_Place = tuple[str, int]


def keep_fetch_sessions(consumer: AIOKafkaConsumer) -> None:
    """Let a started consumer fetch in sessions from now on."""
    fetcher: Any = consumer._fetcher  # noqa: SLF001 - aiokafka lets nobody replace its fetcher
    fetcher._client = FetchingClient(fetcher._client)  # noqa: SLF001 - the fetcher sends by it alone


class FetchingClient:
    """A fetcher's client over aiokafka's: its fetches go in one session per node, all else as ever."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sessions: dict[int, FetchSession] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        """Send a request; raises what the client below raises."""
        if not isinstance(request, FetchRequest):
            return await self._client.send(node_id, request, **options)
        session = self._sessions.setdefault(node_id, FetchSession())
        incremental = session.request(request)
        try:
            response = await self._client.send(node_id, incremental, **options)
        except BaseException:
            # Whether the broker has counted this request is unknown, cancelled ones included.
            session.reset()
            raise
        session.answered(response)
        # The fetcher looks up where each partition of the answer was fetched from, and no others.
        request._topics = incremental.named(response)  # noqa: SLF001 - one request, used once
        return response


class FetchSession:
    """One node's session, from the client's side: what the broker knows of, and under which epoch."""

    def __init__(self) -> None:
        self._id = _NO_SESSION
        self._epoch = _FIRST_EPOCH
        self._known: dict[_Place, _Position] = {}

    def reset(self) -> None:
        """Begin anew with the next request, which closes the session that was."""
        self._epoch = _FIRST_EPOCH
        self._known = {}

    def request(self, full: FetchRequest) -> "IncrementalFetch":
        """Return the request that brings the broker from what it knows to `full`."""
        wanted = {
            (topic, partition): (offset, most)
            for topic, partitions in full.topics
            for partition, offset, most in partitions
        }
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

    def named(self, response: Any) -> list[tuple[str, list[tuple[int, int, int]]]]:
        """Return where each partition of the answer was to be fetched from."""
        return self._positions(
            (topic, partition) for topic, partitions in response.topics for partition, *_ in partitions
        )

    def _positions(self, places: Iterable[_Place]) -> list[tuple[str, list[tuple[int, int, int]]]]:
        return _by_topic((topic, (partition, *self._wanted[topic, partition])) for topic, partition in places)


def _by_topic(parts: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    grouped: dict[str, list[Any]] = {}
    for topic, part in parts:
        grouped.setdefault(topic, []).append(part)
    return list(grouped.items())
