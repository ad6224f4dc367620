"""Which topics a person means: full names, names without their prefix, and wildcards."""

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

from deploy.errors import CommandError

PREFIX = "ecommerce."


def select(patterns: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the known topics that the patterns name, sorted.

    `order.confirmed` means `ecommerce.order.confirmed`; `order.*` every order topic; a name that ends in a
    dot is a prefix. Raises CommandError for a pattern that names nothing.
    """
    names = sorted(known)
    chosen: set[str] = set()
    for pattern in patterns:
        glob = f"{pattern}*" if pattern.endswith(".") else pattern
        found = {name for name in names if fnmatchcase(name, glob) or fnmatchcase(name, PREFIX + glob)}
        if not found:
            near = get_close_matches(pattern, [*names, *(name.removeprefix(PREFIX) for name in names)], 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise CommandError(f"no topic is called {pattern}{hint}")
        chosen |= found
    return sorted(chosen)
