"""Views made anew from the start of the topics, beside the live ones, and put in their place."""

from contextlib import nullcontext

from sinks.rebuild.alone import BusyError, alone
from sinks.rebuild.beside import beside
from sinks.rebuild.rebuild import NAME, Decide, OldKeptError, Rebuild, Rebuilt
from sinks.rebuild.redis import rewrite
from sinks.verify.reading import Tell, silent
from sinks.views import Choice, Server
from topics.producer import MessageProducer
from topics.settings import Settings

__all__ = ["BusyError", "OldKeptError", "Rebuild", "Rebuilt", "drop_old", "rebuild"]


async def rebuild(
    settings: Settings,
    choice: Choice,
    decide: Decide,
    *,
    archive: str | None = None,
    tell: Tell = silent,
) -> Rebuilt:
    """Rebuild the chosen views, and swap where `decide` says so. Redis is written in place, undecided.

    Raises OldKeptError where an earlier rebuild's old ones are still kept, BusyError where another one is
    under way, Unreadable where a view's server cannot be read, and what the clients raise.
    """
    async with MessageProducer(settings, NAME) as producer:
        if choice.server is Server.REDIS:
            return await rewrite(settings, choice, producer, archive=archive, tell=tell)
        async with alone(settings.postgres_dsn) if choice.server is Server.POSTGRES else nullcontext():
            return await Rebuild(settings, choice, producer, archive=archive, tell=tell).run(decide)


async def drop_old(settings: Settings, choice: Choice) -> list[str]:
    """Drop what a rebuild of the chosen views has kept, and return the names of it.

    Raises Unreadable where Elasticsearch is meant and not configured, and what the clients raise.
    """
    if choice.server is Server.REDIS:
        return []
    place = beside(settings, choice)
    kept = await place.old()
    await place.drop_old()
    return kept
