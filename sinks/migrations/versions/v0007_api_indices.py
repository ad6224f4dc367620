"""Indices for queries of the API that had none: a guest's orders, and dead letters of all domains."""

from alembic import op

revision = "0007"
down_revision = "0006"

INDICES = """
CREATE INDEX orders_guest ON orders (cart_id, placed_at DESC, order_id) WHERE user_id IS NULL;
CREATE INDEX dead_letters_failed_at ON dead_letters (failed_at DESC, id);
CREATE INDEX dead_letters_counted ON dead_letters (domain, reason);
DROP INDEX dead_letters_reason;
"""


def upgrade() -> None:
    op.execute(INDICES)


def downgrade() -> None:
    op.execute("CREATE INDEX dead_letters_reason ON dead_letters (reason)")
    op.execute("DROP INDEX orders_guest, dead_letters_failed_at, dead_letters_counted")
