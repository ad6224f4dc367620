"""How the domains say that a command breaks a rule."""

import msgspec

from schemas.refusal import Refusal


class Breach(msgspec.Struct, frozen=True):
    """A rule that a command breaks: its name, the field (dotted path) and what is wrong, for people."""

    reason: Refusal
    field: str
    detail: str
