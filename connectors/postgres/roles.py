"""The platform's roles and their rights: a server of our own has all roles, an external one may have none."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from topics.credentials import Role

Rights = Mapping[str, Mapping[Role, str]]
"""By table, what each role may do with it, as GRANT names it."""

CHANGE = "SELECT, INSERT, UPDATE, DELETE"

_THERE = "SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"


def present(connection: Connection) -> set[Role]:
    """Return the roles that there are."""
    names = [role.value for role in Role]
    return {Role(name) for (name,) in connection.execute(text(_THERE), {"names": names})}


def grant(connection: Connection, schema: str, rights: Rights) -> None:
    """Give the roles that there are their rights, and the schema's use to who has any."""
    there = present(connection)
    for role in sorted(there & {role for of_table in rights.values() for role in of_table}):
        connection.exec_driver_sql(f'GRANT USAGE ON SCHEMA "{schema}" TO {role}')
    for table, of_table in rights.items():
        for role in sorted(there & of_table.keys()):
            connection.exec_driver_sql(f'GRANT {of_table[role]} ON "{schema}"."{table}" TO {role}')
