"""Where the chosen views are read from, and the sink that tells what they have to hold."""

from typing import Any, NamedTuple

from connectors.runtime.sink import Sink
from sinks.migrate import SCHEMA
from sinks.redis import KEYS, TTL_S, part
from sinks.verify import elasticsearch, postgres, redis
from sinks.verify.sides import Side, Unreadable
from sinks.verify.spool import Spool
from sinks.views import Choice, Server
from topics.settings import Settings


class Sought(NamedTuple):
    """The live views, their parts, the sink that fills a spool, and after how many ms a key may be gone."""

    side: Side
    parts: tuple[str, ...]
    expected: Sink[Any]
    ttl_ms: int | None = None


async def sought(settings: Settings, choice: Choice, spool: Spool) -> Sought:
    """Return how to compare the chosen views. Raises Unreadable where the server does not answer."""
    match choice.server:
        case Server.POSTGRES:
            dsn = settings.postgres_dsn
            json = await postgres.json_columns(dsn, SCHEMA)
            return Sought(
                postgres.PostgresSide(dsn, SCHEMA, choice.tables, json),
                tuple(table.name for table in choice.tables),
                postgres.PostgresExpected(choice.tables, json, spool),
            )
        case Server.ELASTICSEARCH:
            if settings.elasticsearch is None:
                raise Unreadable("ECOMMERCE_ELASTICSEARCH is not set: there is nothing to compare")
            return Sought(
                elasticsearch.ElasticsearchSide(settings.elasticsearch, choice.guards),
                tuple(elasticsearch.parts(choice.guards)),
                elasticsearch.ElasticsearchExpected(spool),
            )
        case Server.REDIS:
            return Sought(
                redis.RedisSide(settings.redis_url),
                KEYS,
                redis.RedisExpected(part, spool),
                TTL_S * 1_000,
            )
