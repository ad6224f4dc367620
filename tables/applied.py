"""The commands that a state has already answered, so that the same command twice has one effect.

The ring is bounded: duplicates come soon after the original (a producer's retry, a crash's resend), so the
latest ids are the ones worth the bytes.
"""


def remembered(applied: tuple[str, ...], command_id: str, limit: int) -> tuple[str, ...]:
    """Return the ring with `command_id` as its newest; at most `limit` (at least 1) ids are kept."""
    return (*applied[-(limit - 1) :], command_id) if limit > 1 else (command_id,)
