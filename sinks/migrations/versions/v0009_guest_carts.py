"""Guests' carts that an account has claimed: what was bought with them before the login is the account's."""

from alembic import op

revision = "0009"
down_revision = "0008"

GUEST_CARTS = """
CREATE TABLE guest_carts (
    cart_id    uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    claimed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX guest_carts_user ON guest_carts (user_id);
"""


def upgrade() -> None:
    op.execute(GUEST_CARTS)


def downgrade() -> None:
    op.execute("DROP TABLE guest_carts")
