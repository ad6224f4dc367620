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
    for table in TABLES:
        op.execute(f"ALTER TABLE {BEFORE}.{table} SET SCHEMA {HOME}")
    for function in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {BEFORE}.{function}() SET SCHEMA {HOME}")
        op.execute(f"ALTER FUNCTION {HOME}.{function}() SET search_path TO {HOME}, pg_temp")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {HOME}.{table} SET SCHEMA {BEFORE}")
    for function in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {HOME}.{function}() SET SCHEMA {BEFORE}")
        op.execute(f"ALTER FUNCTION {BEFORE}.{function}() SET search_path TO {BEFORE}, pg_temp")
