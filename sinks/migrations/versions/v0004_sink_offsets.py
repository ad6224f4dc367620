"""How far the views' own tables are in the topics: moved on in the transaction that writes the rows.

`next_offset` is the first offset of the partition that is not in the tables; it counts for the topic that
has the id `topic_id`, not for a later one of the same name.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# Half of each page is left free: every batch updates its rows in place.
OFFSETS = """
CREATE TABLE sink_offsets (
    sink        text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    topic_id    text NOT NULL,
    next_offset bigint NOT NULL,
    written_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sink, topic, partition)
) WITH (fillfactor = 50);
"""


def upgrade() -> None:
    op.execute(OFFSETS)


def downgrade() -> None:
    op.execute("DROP TABLE sink_offsets")
