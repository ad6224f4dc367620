"""Writes batches to Elasticsearch: one bulk request per flush, each document guarded by its version."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from connectors.elasticsearch import indices
from connectors.elasticsearch.bulk import Answer, answer, newest, operations
from connectors.elasticsearch.index import Index, Write
from connectors.runtime.sink import BatchRefusedError, Entry, Refusal, SinkUnavailableError

TIMEOUT_S = 60.0
_BAD_REQUEST = 400
_TOO_LARGE = 413
_ANSWERS = ("items.*.status", "items.*.error")

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

    async def write(self, batch: Sequence[Entry[Write]]) -> Sequence[Refusal]:
        """Write the batch's highest version of each document, and return the entries that were refused.

        Raises BatchRefusedError where the server takes no part of the request (too large, or an id that it
        cannot keep), and SinkUnavailableError where it does not answer, is overloaded, or has lost an index.
        """
        writes = newest([entry.rows for entry in batch])
        if not writes:
            return ()
        try:
            if not self._created:
                await self._create()
            # The client takes lines as bytes, too; its types do not say so.
            lines: Any = [_encode(line) for line in operations((each for _, each in writes), self._targets)]
            response = await self._client.bulk(
                operations=lines,
                require_alias=not self._targets,
                # Of each item only what says how it ended.
                filter_path=_ANSWERS,
            )
        except indices.OutdatedIndexError as error:
            raise SinkUnavailableError(str(error)) from error
        except ApiError as error:
            if error.status_code in (_BAD_REQUEST, _TOO_LARGE):
                raise BatchRefusedError(str(error), error.error) from error
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        except TransportError as error:
            raise SinkUnavailableError(f"{type(error).__name__}: {error}") from error
        return self._refusals(writes, [next(iter(item.values())) for item in response["items"]])

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()

    async def _create(self) -> None:
        for index in self._declared:
            if index.alias not in self._targets:
                await indices.create(self._client, index)
        self._created = True

    def _refusals(
        self, writes: Sequence[tuple[int, Write]], items: Sequence[Mapping[str, object]]
    ) -> Sequence[Refusal]:
        refusals: dict[int, Refusal] = {}
        for (position, write), item in zip(writes, items, strict=True):
            match answer(write, int(str(item["status"]))):
                case Answer.REFUSED:
                    refusals[position] = Refusal(position, _reason(item["error"]), _type(item["error"]))
                case Answer.AGAIN:
                    # An alias that went away is made again before the next attempt.
                    self._created = False
                    raise SinkUnavailableError(_reason(item["error"]))
                case Answer.DONE:
                    pass
        return tuple(refusals.values())


def _reason(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    cause = error.get("caused_by") or {}
    reasons = (error.get("reason"), cause.get("reason") if isinstance(cause, dict) else None)
    return "; ".join(str(each) for each in reasons if each)


def _type(error: object) -> str | None:
    return str(error["type"]) if isinstance(error, dict) and "type" in error else None
