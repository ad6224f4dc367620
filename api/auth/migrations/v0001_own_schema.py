"""Accounts, sessions, guests' claims and the outbox move out of the views' schema with all that they hold.

They are the only copy of what they say: who drops the views must not drop them.
"""

from alembic import op

revision = "0001"
down_revision = None

TABLES = ("users", "sessions", "session_ends", "guest_carts", "outbox")
FUNCTIONS = ("users_changing", "users_changed", "outbox_written")
HOME, BEFORE = "identity", "public"


def upgrade() -> None:
    _move(BEFORE, HOME)


def downgrade() -> None:
    _move(HOME, BEFORE)


def _move(before: str, after: str) -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {before}.{table} SET SCHEMA {after}")
    for function in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {before}.{function}() SET SCHEMA {after}")
        op.execute(f"ALTER FUNCTION {after}.{function}() SET search_path TO {after}, pg_temp")
