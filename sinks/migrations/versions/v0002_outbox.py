"""The accounts' outbox: what is to be published, written in the transaction that changes the account.

Accounts that are older than the outbox are published once. `position` orders an account's rows, because they
are written under the lock on the account's own row; it says nothing about which transaction commits first.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

USERS = """
ALTER TABLE users
    ADD COLUMN version    bigint NOT NULL DEFAULT 1,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
UPDATE users SET updated_at = created_at;
"""

OUTBOX = """
CREATE TABLE outbox (
    position       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id             uuid NOT NULL DEFAULT gen_random_uuid(),
    topic          text NOT NULL,
    key            text NOT NULL,
    version        bigint NOT NULL,
    data           jsonb NOT NULL,
    correlation_id uuid,
    traceparent    text,
    occurred_at    timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION outbox_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('outbox', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_written AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_written();
"""

BACKFILL = """
INSERT INTO outbox (topic, key, version, data, occurred_at)
SELECT 'ecommerce.user.registered', user_id::text, version, jsonb_build_object(
           'email', email,
           'role', role,
           'registered_at', (extract(epoch FROM created_at) * 1000)::bigint,
           'updated_at', (extract(epoch FROM updated_at) * 1000)::bigint
       ), created_at
FROM users ORDER BY created_at, user_id;
"""


def upgrade() -> None:
    for statements in (USERS, OUTBOX, BACKFILL):
        op.execute(statements)


def downgrade() -> None:
    op.execute("DROP TABLE outbox")
    op.execute("DROP FUNCTION outbox_written()")
    op.execute("ALTER TABLE users DROP COLUMN version, DROP COLUMN updated_at")
