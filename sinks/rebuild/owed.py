"""From which offsets on an index that was swapped in has yet to be given records: in its own `_meta`."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch.index import Index
from sinks.verify.spans import Offsets

_OWED = "owed"


class Live(NamedTuple):
    """The index that an alias stands for, and the offsets from which on it may lack records; none if none."""

    name: str
    owed: Offsets


async def note(client: AsyncElasticsearch, name: str, since: Offsets) -> None:
    """Let an index say from where on it may lack records; it says nothing where there are no offsets."""
    meta = {key: value for key, value in (await _meta(client, name))[name].items() if key != _OWED}
    if since:
        meta[_OWED] = [[place.topic, place.partition, offset] for place, offset in since.items()]
    await client.indices.put_mapping(index=name, meta=meta)


async def live(client: AsyncElasticsearch, declared: Sequence[Index]) -> dict[str, Live]:
    """Return, by alias, what the aliases stand for and what that may lack; none where there is no alias."""
    found: dict[str, Live] = {}
    for index in declared:
        for name, meta in (await _meta(client, index.alias)).items():
            owed = {
                TopicPartition(topic, partition): offset for topic, partition, offset in meta.get(_OWED, ())
            }
            found[index.alias] = Live(name, owed)
    return found


async def _meta(client: AsyncElasticsearch, name: str) -> Mapping[str, dict[str, Any]]:
    # An alias that is not there is no error of a mapping's: it has none.
    found = await client.options(ignore_status=404).indices.get_mapping(index=name)
    return {name: each["mappings"].get("_meta", {}) for name, each in found.items() if "mappings" in each}
