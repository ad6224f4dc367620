"""Writes batches to Elasticsearch in bulk requests of limited size, each document guarded by its version."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from connectors.elasticsearch import indices
from connectors.elasticsearch.bulk import Answer, answer, lanes, newest, operation, requests
from connectors.elasticsearch.index import Index, Write
from connectors.runtime.sink import BatchRefusedError, Entry, Refusal, SinkUnavailableError

TIMEOUT_S = 60.0
LARGEST_BYTES = 1024 * 1024
"""How much one bulk request holds; a server that has no room for it gets half as much, down to the least."""
LEAST_BYTES = 64 * 1024

_IN_FLIGHT = 2
"""Requests on their way at once: a server takes each with one thread per shard, and waits for none."""
_FEW = 200
"""So many writes go as one request."""

_BAD_REQUEST = 400
_TOO_LARGE = 413
_TOO_MANY = 429
_INDEX_GONE = "index_not_found_exception"
_ANSWERS = ("items.*.status", "items.*.error")

Placed = tuple[int, Write]
"""A write, and the position of its entry in the batch."""

Answered = tuple[Placed, Mapping[str, Any]]

# Lines as bytes: the client's own way to JSON took as long as the server.
_encode = msgspec.json.Encoder().encode


class ElasticsearchSink:
    """A sink over `declared` indices, which it creates where they are missing.

    `targets` names, for a rebuild, the index to write to in place of an alias.
    """

    def __init__(self, url: str, declared: Sequence[Index], targets: Mapping[str, str] | None = None) -> None:
        self._client = AsyncElasticsearch(url, request_timeout=TIMEOUT_S, max_retries=0)
        self._declared = declared
        self._targets = targets or {}
        self._created = False
        self._size = LARGEST_BYTES

    @property
    def request_bytes(self) -> int:
        """Return how much the next bulk request may hold."""
        return self._size

    async def write(self, batch: Sequence[Entry[Write]]) -> Sequence[Refusal]:
        """Write the batch's highest version of each document, and return the entries that were refused.

        Raises BatchRefusedError where the server takes no part of a request (too large, or an id that it
        cannot keep), and SinkUnavailableError where it does not answer, is overloaded, read-only, or has lost
        an index; other requests may be written. After an overload requests are half as large.
        """
        writes = newest([entry.rows for entry in batch])
        if not writes:
            return ()
        try:
            if not self._created:
                await self._create()
            answers = await (self._sent(writes) if len(writes) <= _FEW else self._sent_at_once(writes))
        except indices.OutdatedIndexError as error:
            raise SinkUnavailableError(str(error)) from error
        except ApiError as error:
            if error.status_code == _TOO_MANY:
                self._shrink()
            if error.status_code in (_BAD_REQUEST, _TOO_LARGE):
                raise BatchRefusedError(str(error), error.error) from error
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        except TransportError as error:
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        return self._refusals(answers)

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    async def _create(self) -> None:
        for index in self._declared:
            if index.alias not in self._targets:
                await indices.create(self._client, index)
        self._created = True

    async def _sent_at_once(self, writes: Sequence[Placed]) -> list[Answered]:
        """Send the writes, several requests at once, and return how each of them ended."""
        parts = lanes(writes, _IN_FLIGHT)
        ended = await asyncio.gather(*map(self._sent, parts), return_exceptions=True)
        for each in ended:
            if isinstance(each, BaseException):
                raise each
        return [answered for each in ended if isinstance(each, list) for answered in each]

    async def _sent(self, writes: Sequence[Placed]) -> list[Answered]:
        """Send the writes, one request after the other, and return how each of them ended."""
        items: list[Mapping[str, Any]] = []
        # The client takes lines as bytes, too; its types do not say so.
        encoded: Any = ([_encode(line) for line in operation(each, self._targets)] for _, each in writes)
        for request in requests(encoded, self._size):
            lines: Any = [line for lines in request for line in lines]
            response = await self._client.bulk(
                operations=lines,
                require_alias=not self._targets,
                # Of each item only what says how it ended.
                filter_path=_ANSWERS,
            )
            items.extend(next(iter(item.values())) for item in response["items"])
        return list(zip(writes, items, strict=True))

    def _shrink(self) -> None:
        self._size = max(LEAST_BYTES, self._size // 2)

    def _refusals(self, answers: Sequence[Answered]) -> Sequence[Refusal]:
        refusals: dict[int, Refusal] = {}
        for (position, write), item in answers:
            status, error = int(str(item["status"])), item.get("error")
            match answer(write, status, missing_index=_type(error) == _INDEX_GONE):
                case Answer.REFUSED:
                    refusals[position] = Refusal(position, _reason(error), _type(error))
                case Answer.AGAIN:
                    if status == _TOO_MANY:
                        self._shrink()
                    # An alias that went away is made again before the next attempt.
                    self._created = False
                    raise SinkUnavailableError(f"{_type(error)}: {_reason(error)}")
                case Answer.DONE:
                    pass
        self._size = min(LARGEST_BYTES, self._size * 2)
        return tuple(refusals.values())


def _reason(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    cause = error.get("caused_by") or {}
    reasons = (error.get("reason"), cause.get("reason") if isinstance(cause, dict) else None)
    return "; ".join(str(each) for each in reasons if each)


def _type(error: object) -> str | None:
    return str(error["type"]) if isinstance(error, dict) and "type" in error else None
