"""What a place of new views asks of the rebuild that fills them."""

from collections.abc import Awaitable, Callable

from sinks.verify.spans import Offsets

CatchUp = Callable[[], Awaitable[Offsets]]
"""Brings the new views to where the topics end, and returns those offsets."""

ReadOn = Callable[[Offsets], Awaitable[None]]
"""Reads into what the place's `sink` returns, from these offsets up to where the topics end."""
