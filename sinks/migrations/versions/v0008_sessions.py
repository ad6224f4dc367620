"""Sessions that end: what tells every API process which access tokens it takes no longer.

`users.session_version` is part of a token: those below it have ended. It grows by itself wherever a password,
a role or an account's standing changes, whoever changes it, by SQL too, and each end is a row of
`session_ends`, which every API process follows. `transaction` lets a reader find what commits late: a
position alone says nothing about which transaction commits first. `sessions` has one row per log-in.

`users.address` is the form of an address by which accounts are told apart (api/auth/address.py). Where two
older accounts have the same, the younger keeps none and is found by its own spelling.
"""

import unicodedata

from alembic import op
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import text

revision = "0008"
down_revision = "0007"

USERS = """
ALTER TABLE users
    ADD COLUMN address         text,
    ADD COLUMN verified_at     timestamptz,
    ADD COLUMN deactivated_at  timestamptz,
    ADD COLUMN session_version bigint NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX users_address ON users (address);
"""

SESSIONS = """
CREATE TABLE sessions (
    session_id      uuid PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    session_version bigint NOT NULL,
    began_at        timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
"""

ENDS = """
CREATE TABLE session_ends (
    position      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    user_id       uuid NOT NULL,
    session_id    uuid,
    below_version bigint,
    ended_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((session_id IS NULL) <> (below_version IS NULL))
);
CREATE INDEX session_ends_transaction ON session_ends (transaction);
CREATE INDEX session_ends_ended_at ON session_ends (ended_at);

-- The functions find the tables by the path that is set now, whoever changes an account.
CREATE FUNCTION users_changing() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.session_version := greatest(NEW.session_version, OLD.session_version);
    IF (NEW.role, NEW.password_hash, NEW.deactivated_at) IS DISTINCT FROM
       (OLD.role, OLD.password_hash, OLD.deactivated_at) THEN
        NEW.session_version := greatest(NEW.session_version, OLD.session_version + 1);
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION users_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO session_ends (user_id, below_version) VALUES (OLD.user_id, 9223372036854775807);
    ELSIF NEW.session_version > OLD.session_version THEN
        INSERT INTO session_ends (user_id, below_version) VALUES (NEW.user_id, NEW.session_version);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_changing BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION users_changing();
CREATE TRIGGER users_changed AFTER UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION users_changed();
"""


def upgrade() -> None:
    op.execute(USERS)
    _give_addresses()
    op.execute(SESSIONS)
    op.execute(ENDS)


def downgrade() -> None:
    op.execute("DROP TRIGGER users_changed ON users")
    op.execute("DROP TRIGGER users_changing ON users")
    op.execute("DROP FUNCTION users_changed(), users_changing()")
    op.execute("DROP TABLE session_ends, sessions")
    op.execute(
        "ALTER TABLE users DROP COLUMN address, DROP COLUMN verified_at, DROP COLUMN deactivated_at,"
        " DROP COLUMN session_version"
    )


def _give_addresses() -> None:
    connection = op.get_bind()
    users = connection.execute(text("SELECT user_id, email FROM users ORDER BY created_at, user_id"))
    first: dict[str, object] = {}
    for user_id, email in users.all():
        first.setdefault(_address(email), user_id)
    if first:
        given = [{"address": address, "user_id": user_id} for address, user_id in first.items()]
        connection.execute(text("UPDATE users SET address = :address WHERE user_id = :user_id"), given)


def _address(email: str) -> str:
    try:
        found = validate_email(email.strip(), check_deliverability=False)
    except EmailNotValidError:
        return _lower(email.strip())
    return f"{_lower(found.local_part)}@{found.ascii_domain.lower()}"


def _lower(part: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).lower())
