"""How the domains say that a command breaks a rule."""

import msgspec


class Breach(msgspec.Struct, frozen=True):
    """A rule that a command breaks: its name, the field (dotted path) and what is wrong, for people."""

    reason: str
    field: str
    detail: str
