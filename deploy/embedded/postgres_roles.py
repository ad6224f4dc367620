"""The roles of the embedded PostgreSQL as statements, each on one line: what the single-user mode reads.

What a role may do with each table comes with the migrations: `sinks.roles`, `api.auth.migrate`.
"""

from collections.abc import Mapping

from topics.credentials import Role
from topics.settings import DATABASE

ADMIN = "ecommerce"
"""Made the data, and can do anything; nothing that serves logs in as it."""

_LEAST = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
# Roles have all that they need by name: nothing of a database is everybody's.
_CLOSED = (
    "SET password_encryption = 'scram-sha-256'",
    f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
)

# What an earlier version made belongs to the admin, as everything was made by it then.
_OURS = "nspname IN ('public', 'identity', 'rebuild', 'retired')"


def _extensions(catalogue: str, alias: str) -> str:
    return (
        f"EXISTS (SELECT FROM pg_depend WHERE classid = '{catalogue}'::regclass AND objid = {alias}.oid"
        " AND deptype = 'e')"
    )


_HANDED_OVER = f"""
DO $$ DECLARE each record; BEGIN
FOR each IN SELECT format('ALTER SCHEMA %I OWNER TO {Role.OWNER}', nspname) AS told FROM pg_namespace
 WHERE {_OURS}
UNION ALL SELECT format('ALTER TABLE %s OWNER TO {Role.OWNER}', c.oid::regclass)
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {_OURS} AND relkind IN ('r', 'p', 'v')
 AND NOT {_extensions("pg_class", "c")}
UNION ALL SELECT format('ALTER ROUTINE %s OWNER TO {Role.OWNER}', p.oid::regprocedure)
 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {_OURS}
 AND NOT {_extensions("pg_proc", "p")}
UNION ALL SELECT format('ALTER TEXT SEARCH DICTIONARY %s OWNER TO {Role.OWNER}', d.oid::regdictionary)
 FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace
 WHERE {_OURS}
 AND NOT {_extensions("pg_ts_dict", "d")}
UNION ALL SELECT format('ALTER TEXT SEARCH CONFIGURATION %s OWNER TO {Role.OWNER}', g.oid::regconfig)
 FROM pg_ts_config g JOIN pg_namespace n ON n.oid = g.cfgnamespace
 WHERE {_OURS}
LOOP EXECUTE each.told; END LOOP; END $$
"""  # noqa: S608 -- names of ours


def statements(admin: str, passwords: Mapping[str, str]) -> list[str]:
    """Return what makes the roles, gives them their passwords, and hands over what was made before them.

    Passwords are of letters, digits, `-` and `_` alone.
    """
    made = []
    for role in Role:
        made += [
            f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role}; END IF; END $$",
            f"ALTER ROLE {role} WITH {_LEAST} PASSWORD '{passwords[role]}'",
            f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {role}",
        ]
    return [
        *_CLOSED,
        f"ALTER ROLE {ADMIN} WITH PASSWORD '{admin}'",
        *made,
        f"ALTER DATABASE {DATABASE} OWNER TO {Role.OWNER}",
        " ".join(_HANDED_OVER.split()),
    ]
