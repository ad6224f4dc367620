"""A view under construction beside the live one, and what the live one was before."""

from typing import Any, Protocol

from connectors.runtime.sink import Sink
from sinks.rebuild.catching_up import CatchUp, ReadOn
from sinks.rebuild.elasticsearch import ElasticsearchBeside
from sinks.rebuild.postgres import PostgresBeside
from sinks.verify.sides import Side, Unreadable
from sinks.views import Choice, Server
from topics.settings import Settings


class Beside(Protocol):
    """Views of one server in the making; their live ones, and the old ones that a rebuild has kept."""

    async def prepare(self) -> None:
        """Make them, empty; what an interrupted rebuild left is dropped."""
        ...

    def sink(self) -> Sink[Any]:
        """Return a sink that writes to them, before the swap and after."""
        ...

    async def side(self) -> Side:
        """Return what reads them."""
        ...

    async def swap(self, catch_up: CatchUp) -> None:
        """Put them in the live ones' place, from one moment to the next, and keep those as the old ones.

        With `catch_up` it brings them to where the topics end, so that nothing is left out that the live sink
        wrote to the old ones last; where it dies before that is done, `resume` does it.
        """
        ...

    async def resume(self, read_on: ReadOn) -> bool:
        """Complete the live ones where a rebuild died behind its swap, and tell whether that was all of it.

        It was not where there was none, where the swap itself was not complete, or the old ones are dropped.
        """
        ...

    async def drop(self) -> None:
        """Drop them: the live ones stay."""
        ...

    async def old(self) -> list[str]:
        """Return the names of the old ones that are kept."""
        ...

    async def drop_old(self) -> None:
        """Drop the old ones; does nothing where none are kept."""
        ...


def beside(settings: Settings, choice: Choice) -> Beside:
    """Return the place beside the chosen views.

    Raises Unreadable where Elasticsearch is meant and not configured, ValueError for Redis, where the values'
    versions are guard enough to write them in place.
    """
    match choice.server:
        case Server.POSTGRES:
            return PostgresBeside(settings, choice.tables)
        case Server.ELASTICSEARCH:
            if settings.elasticsearch is None:
                raise Unreadable("ECOMMERCE_ELASTICSEARCH is not set: there is nothing to rebuild")
            return ElasticsearchBeside(settings.elasticsearch, choice.indices, choice.guards)
        case Server.REDIS:
            raise ValueError("Redis has nothing beside")
