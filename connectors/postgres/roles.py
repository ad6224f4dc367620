"""Which of the platform's roles a server has: one of our own has all, an external one may have none."""

from sqlalchemy import Connection, text

from topics.credentials import Role

_THERE = "SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"


def present(connection: Connection) -> set[Role]:
    """Return the roles that there are."""
    names = [role.value for role in Role]
    return {Role(name) for (name,) in connection.execute(text(_THERE), {"names": names})}
