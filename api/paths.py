"""Which methods the application's paths have."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

_KEPT, _KEPT_LENGTH = 4_096, 128

Has = Callable[[str, str], bool]
"""Tells whether something is there for a method at an encoded path."""

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def remembering(has: Has) -> Has:
    """Return the same, with the answers for short paths kept.

    The patterns of all routes are tried one after the other; most requests go to the same paths.
    """
    known = lru_cache(_KEPT)(has)
    return lambda method, path: (known if len(path) <= _KEPT_LENGTH else has)(method, path)


class Paths:
    """The application's paths with the methods that each of them has, over all its routes."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._known = remembering(self._has)

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods of an encoded path; none where nothing is there."""
        return tuple(method for method in _METHODS if self.has(method, path))

    def has(self, method: str, path: str) -> bool:
        """Tell whether some route takes the method at an encoded path."""
        return self._known(method, path)

    def _has(self, method: str, path: str) -> bool:
        known = self._patterns.get(method)
        return known is not None and known.match(path) is not None

    @cached_property
    def _patterns(self) -> Mapping[str, re.Pattern[str]]:
        found: dict[str, list[str]] = {method: [] for method in _METHODS}
        for route in iter_route_contexts(self._app.routes):
            for method in _METHODS:
                if route.methods is None or method in route.methods:
                    found[method].append(_unnamed(route.path_regex.pattern))
        return {method: _any(patterns) for method, patterns in found.items()}


def allow(methods: Iterable[str]) -> str:
    """Return the `Allow` header for a path's methods."""
    named = set(methods)
    return ", ".join(sorted(named | {"HEAD"} if "GET" in named else named))


def _unnamed(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")
