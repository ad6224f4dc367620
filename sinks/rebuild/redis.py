"""Writes the Redis views again, in place: the version in each value guards it while the live sink goes on."""

from connectors.redis.sink import RedisSink
from connectors.runtime.dead_letters import DeadLetterTopic
from sinks.rebuild.rebuild import NAME, Rebuilt
from sinks.redis import TTL_S
from sinks.verify.reading import Reading, Tell, silent
from sinks.verify.spans import spans
from sinks.verify.verify import Verification
from sinks.views import Choice
from topics.producer import MessageProducer
from topics.settings import Settings


async def rewrite(
    settings: Settings,
    choice: Choice,
    producer: MessageProducer,
    *,
    archive: str | None = None,
    tell: Tell = silent,
) -> Rebuilt:
    """Write what is missing or older, and compare afterwards. Raises what the clients raise."""
    there = await spans(settings, choice.topics)
    reading = Reading(
        NAME,
        settings,
        choice,
        make=lambda: RedisSink(settings.redis_url, TTL_S),
        letters=DeadLetterTopic(producer, NAME, choice.group),
        tell=tell,
    )
    if archive and there.removed:
        await reading.archive(archive, there.removed)
    await reading.topics(there.starts, there.ends)
    findings = await Verification(settings, choice, archive).run()
    return Rebuilt(sum(there.ends.values()) - sum(there.starts.values()), findings, swapped=True, old=[])
