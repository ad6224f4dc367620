"""What each role may do with the tables, given anew after every migration; missing roles are left out.

What a sink declares is a view: the sinks write it and everybody reads it. The accounts are in another schema
(`api.auth.migrate`).
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from connectors.postgres import roles
from connectors.postgres.roles import CHANGE
from sinks.postgres import TABLES
from topics.credentials import Role

_VIEWS = frozenset({table.name for table in TABLES} | {"sink_offsets"})
_REVISION = "alembic_version"

# Attached, not created in place: readers and writers of the other partitions do not wait. It runs with the
# rights of the schema's owner, which who writes rows need not have.
_MAKE_MONTH = """
CREATE OR REPLACE FUNCTION public.ecommerce_make_month(
    parent regclass, made text, month_column text, since timestamptz, until timestamptz
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    home text; name text; moved text;
BEGIN
    SELECT n.nspname, c.relname INTO STRICT home, name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = parent AND c.relkind = 'p';
    IF made <> name || to_char(since AT TIME ZONE 'UTC', '_YYYY_MM') THEN
        RAISE EXCEPTION '% is no name of a month of %', made, name USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', home, name || '_default');
    EXECUTE format('CREATE TABLE %I.%I (LIKE %I.%I INCLUDING DEFAULTS)', home, made, home, name);
    moved := format('WITH moved AS (DELETE FROM %I.%I WHERE %I >= $1 AND %I < $2 RETURNING *)'
                    ' INSERT INTO %I.%I SELECT * FROM moved',
                    home, name || '_default', month_column, month_column, home, made);
    EXECUTE moved USING since, until;
    EXECUTE format('ALTER TABLE %I.%I ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                   home, name, home, made, since, until);
END $$
"""

_ROOTS = """
SELECT c.relname AS name, coalesce(root.relname, c.relname) AS root
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class root ON root.oid = pg_partition_root(c.oid)
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p')
"""


def grant(connection: Connection, schema: str) -> None:
    """Give the roles their rights on what `schema` has now, within the connection's transaction."""
    connection.execute(text(_MAKE_MONTH))
    connection.exec_driver_sql(
        "REVOKE ALL ON FUNCTION public.ecommerce_make_month(regclass, text, text, timestamptz, timestamptz)"
        " FROM PUBLIC"
    )
    if Role.SINK in roles.present(connection):
        connection.exec_driver_sql(
            "GRANT EXECUTE ON FUNCTION"
            " public.ecommerce_make_month(regclass, text, text, timestamptz, timestamptz)"
            f" TO {Role.SINK}"
        )
    roots = connection.execute(text(_ROOTS), {"schema": schema}).all()
    roles.grant(connection, schema, {table: _rights(root) for table, root in roots})


def _rights(table: str) -> Mapping[Role, str]:
    if table in _VIEWS:
        return {Role.SINK: CHANGE, Role.API: "SELECT", Role.READER: "SELECT"}
    return {role: "SELECT" for role in Role if role is not Role.OWNER} if table == _REVISION else {}
