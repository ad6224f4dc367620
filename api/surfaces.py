"""What the domains show over HTTP, gathered from their `surface.py`."""

from collections.abc import Collection

from api.surface import Surface
from schemas.domains import Domain, Room, declared, no_strays, of_room

_APART = ("admission", "auth", "connections", "health", "ops", "pages")


def gathered(domains: Collection[Domain]) -> tuple[Surface, ...]:
    """Return the surfaces of the domains.

    Raises ManifestError where a domain has none, and where `api` has a folder of no domain.
    """
    no_strays("api", [domain.name for domain in domains], _APART)
    return tuple(declared(f"api.{domain.name}.surface", "SURFACE", Surface) for domain in domains)


SURFACES = gathered(of_room(Room.API))
