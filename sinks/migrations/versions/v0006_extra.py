"""What a newer release's messages say beyond this one's columns is kept as it stands in the record.

A later revision that adds the column fills it from there: `extra -> 'data' ->> 'the_field'`.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = (
    "products",
    "stock_levels",
    "stock_movements",
    "orders",
    "order_events",
    "payments",
    "carts_abandoned",
)


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN extra jsonb")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN extra")
