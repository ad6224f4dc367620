"""What asyncpg raises, and which of it a row is to blame for: all else is the server's state, and passes."""

from collections.abc import Collection

import asyncpg

# SQLSTATE classes: 22 data exception, 23 integrity constraint violation, 54 a limit that a value exceeds.
_DATA_CLASSES = ("22", "23", "54")

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises where a statement does not end well: the server's word, the client's, the network's."""

UNFIT = (ValueError, TypeError, OverflowError)
"""What the client raises for a value that does not fit its column's type, before it sends anything."""


def blames_data(error: Exception, columns: Collection[str] = ()) -> bool:
    """Tell whether the same batch would fail again because of a value in it.

    A missing table or permission is not the data's fault: it keeps the batch waiting until it is mended. No
    more is a column that wants a value and that is not one of `columns`, the sink's own: it refuses every
    row.
    """
    if isinstance(error, asyncpg.NotNullViolationError) and columns and error.column_name not in columns:
        return False
    if isinstance(error, asyncpg.PostgresError):
        return str(getattr(error, "sqlstate", "") or "").startswith(_DATA_CLASSES)
    return isinstance(error, UNFIT)


def code_of(error: Exception) -> str:
    """Return the SQLSTATE, or the name of what the client raised before it sent anything."""
    return str(getattr(error, "sqlstate", None) or type(error).__name__)
