"""What the domains show over HTTP, gathered from the modules of their folders."""

from collections.abc import Collection

from api.surface import Surface
from schemas.domains import Domain, Room, declared_in, no_strays, of_room

_APART = ("admission", "auth", "connections", "health", "ops", "pages")


def gathered(domains: Collection[Domain]) -> tuple[Surface, ...]:
    """Return the surfaces of the domains.

    Raises ManifestError where a domain has none, and where `api` has a folder of no domain.
    """
    no_strays("api", [domain.name for domain in domains], _APART)
    return tuple(each for domain in domains for each in declared_in(f"api.{domain.name}", Surface))


SURFACES = gathered(of_room(Room.API))
