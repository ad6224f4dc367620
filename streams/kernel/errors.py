"""What can go wrong inside the kernel."""


class TransientError(Exception):
    """Raised by a handler where trying the same record again may succeed."""


class OwnershipLostError(Exception):
    """Another worker owns the partition now: whatever this one decided for it must not be written."""


class UndeclaredOutputError(Exception):
    """A handler emitted a message that its route does not declare."""


class InvalidDecisionError(Exception):
    """A handler returned something that is no decision for its table."""


class MissingPartError(Exception):
    """A record came without the key or the value that its topic prescribes."""


class UnusableKeyError(Exception):
    """A record's key cannot be a key of a table."""


class TooLargeError(Exception):
    """A decision does not fit into one record batch, or an output not into one record."""


class CorruptStateError(Exception):
    """A table's bytes do not decode: the code and the state do not belong together. Never skipped."""
