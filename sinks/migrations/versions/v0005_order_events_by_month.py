"""Order events are partitioned by the month of their time, UTC; what has no partition goes to the default.

The key takes the time in, as a partitioned table's must; an event's id and time belong together, so that it
is as unique as before. The sink makes a month's partition before it writes the month's first row.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

PARTITIONED = """
ALTER TABLE order_events RENAME TO order_events_before;
ALTER INDEX order_events_pkey RENAME TO order_events_before_pkey;
DROP INDEX order_events_order;
CREATE TABLE order_events (
    event_id    uuid NOT NULL,
    order_id    uuid NOT NULL,
    version     bigint NOT NULL,
    event_type  text NOT NULL,
    status      text,
    occurred_at timestamptz NOT NULL,
    detail      jsonb NOT NULL,
    PRIMARY KEY (event_id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX order_events_order ON order_events (order_id, version);
CREATE TABLE order_events_default PARTITION OF order_events DEFAULT;
SET LOCAL timezone = 'UTC';
DO $do$
DECLARE
    since timestamptz;
BEGIN
    FOR since IN SELECT DISTINCT date_trunc('month', occurred_at) FROM order_events_before
                 WHERE occurred_at BETWEEN '2000-01-01' AND now() + interval '1 month'
    LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF order_events FOR VALUES FROM (%L) TO (%L)',
                       to_char(since, '"order_events_"YYYY_MM'), since, since + interval '1 month');
    END LOOP;
END
$do$;
INSERT INTO order_events SELECT * FROM order_events_before;
DROP TABLE order_events_before;
"""

BEFORE = """
ALTER TABLE order_events RENAME TO order_events_by_month;
ALTER INDEX order_events_pkey RENAME TO order_events_by_month_pkey;
DROP INDEX order_events_order;
CREATE TABLE order_events (
    event_id    uuid NOT NULL,
    order_id    uuid NOT NULL,
    version     bigint NOT NULL,
    event_type  text NOT NULL,
    status      text,
    occurred_at timestamptz NOT NULL,
    detail      jsonb NOT NULL,
    PRIMARY KEY (event_id)
);
CREATE INDEX order_events_order ON order_events (order_id, version);
INSERT INTO order_events SELECT * FROM order_events_by_month;
DROP TABLE order_events_by_month;
"""


def upgrade() -> None:
    op.execute(PARTITIONED)


def downgrade() -> None:
    op.execute(BEFORE)
