"""The conditions of a list's query: only those that a page needs. A plan that fits all could use no index."""

from api import cursors


class Conditions:
    """Builds a WHERE clause and the values that it binds; `str` gives the clause's text."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._conditions = ["true"]

    def __str__(self) -> str:
        """Return what all conditions together say."""
        return " AND ".join(self._conditions)

    def value(self, given: object) -> str:
        """Bind a value, and return its placeholder."""
        self.values.append(given)
        return f"${len(self.values)}"

    def add(self, condition: str) -> None:
        """Ask for what an SQL expression says."""
        self._conditions.append(condition)

    def behind(self, cursor: str, of: str, column: str, unit: str, then: str) -> None:
        """Begin behind the row of a cursor of the list `of`, the newest first by `column`, then by `then`.

        The cursor holds the moment in `unit`s since the epoch. Raises a 422 Problem for a foreign one.
        """
        at, identity = cursors.decode(cursor, of, (int, str))
        after = cursors.moment(self.value(at), unit)
        # The first bound is what the index is entered by, however deep the page lies.
        self.add(f"{column} <= {after}")
        self.add(f"({column} < {after} OR {then} > {self.value(identity)}::text)")
