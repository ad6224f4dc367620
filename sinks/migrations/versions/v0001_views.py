"""The views of the purchase path, the dead letters, and the users of the API.

Money is bigint in minor units of the row's currency; times are timestamptz. `version` is the version of the
aggregate that the row shows: a row is only ever replaced by a higher one.
"""

from alembic import op

revision = "0001"
down_revision = None

PRODUCTS = """
CREATE TABLE products (
    sku                 text PRIMARY KEY,
    name                text NOT NULL,
    description         text NOT NULL,
    categories          text[] NOT NULL,
    price               bigint NOT NULL,
    currency            text NOT NULL,
    active              boolean NOT NULL,
    low_stock_threshold bigint NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    version             bigint NOT NULL,
    -- What search reads: name over categories over description. The parser takes what stands in pointed
    -- brackets for markup, which names do not have.
    document            tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english'::regconfig, translate(name, '<>', '  ')), 'A')
        || setweight(to_tsvector('english'::regconfig, sku), 'A')
        || setweight(to_tsvector('english'::regconfig, public.ecommerce_words(categories)), 'B')
        || setweight(to_tsvector('english'::regconfig, translate(description, '<>', '  ')), 'C')
    ) STORED,
    -- The name's words as they are written, for words that are being typed.
    name_words          tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector('simple'::regconfig, translate(name, '<>', '  '))
    ) STORED
);
CREATE INDEX products_document ON products USING gin (document);
CREATE INDEX products_name_words ON products USING gin (name_words);
CREATE INDEX products_name_trigrams ON products USING gin (lower(name) public.gin_trgm_ops);
CREATE INDEX products_categories ON products USING gin (categories);
CREATE INDEX products_price ON products (price, sku) WHERE active;
CREATE INDEX products_name ON products (name, sku) WHERE active;
CREATE INDEX products_created_at ON products (created_at, sku) WHERE active;
"""

STOCK = """
CREATE TABLE stock_levels (
    sku        text PRIMARY KEY,
    on_hand    bigint NOT NULL,
    reserved   bigint NOT NULL,
    available  bigint NOT NULL,
    received   bigint NOT NULL,
    committed  bigint NOT NULL,
    threshold  bigint NOT NULL,
    version    bigint NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE stock_movements (
    sku         text NOT NULL,
    version     bigint NOT NULL,
    kind        text NOT NULL,
    quantity    bigint NOT NULL,
    reference   text NOT NULL,
    reason      text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (sku, version)
);
CREATE INDEX stock_movements_reference ON stock_movements (reference);
"""

ORDERS = """
CREATE TABLE orders (
    order_id       uuid PRIMARY KEY,
    kind           text NOT NULL,
    status         text NOT NULL,
    cart_id        uuid,
    user_id        uuid,
    email          text,
    country        text,
    address        jsonb,
    currency       text NOT NULL,
    goods          bigint NOT NULL,
    charged        bigint NOT NULL,
    total          bigint NOT NULL,
    placed_at      timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    reason         text,
    detail         text,
    sku            text,
    tracking       text,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL
);
CREATE INDEX orders_placed_at ON orders (placed_at DESC, order_id);
CREATE INDEX orders_user ON orders (user_id, placed_at DESC, order_id);
CREATE INDEX orders_status ON orders (status, placed_at DESC, order_id);
CREATE TABLE order_lines (
    order_id   uuid NOT NULL,
    line_id    text NOT NULL,
    ordinal    integer NOT NULL,
    sku        text NOT NULL,
    name       text,
    quantity   bigint NOT NULL,
    unit_price bigint,
    PRIMARY KEY (order_id, line_id)
);
CREATE INDEX order_lines_sku ON order_lines (sku);
CREATE TABLE order_charges (
    order_id    uuid NOT NULL,
    ordinal     integer NOT NULL,
    code        text NOT NULL,
    description text NOT NULL,
    quantity    bigint NOT NULL,
    amount      bigint NOT NULL,
    PRIMARY KEY (order_id, ordinal)
);
CREATE TABLE order_events (
    event_id    uuid PRIMARY KEY,
    order_id    uuid NOT NULL,
    version     bigint NOT NULL,
    event_type  text NOT NULL,
    status      text,
    occurred_at timestamptz NOT NULL,
    detail      jsonb NOT NULL
);
CREATE INDEX order_events_order ON order_events (order_id, version);
CREATE TABLE payments (
    order_id           uuid PRIMARY KEY,
    status             text NOT NULL,
    amount             bigint NOT NULL,
    currency           text NOT NULL,
    provider_reference text,
    attempts           integer NOT NULL,
    reason             text,
    version            bigint NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE INDEX payments_status ON payments (status);
"""

CARTS = """
CREATE TABLE carts_abandoned (
    event_id       uuid PRIMARY KEY,
    cart_id        uuid NOT NULL,
    user_id        uuid,
    lines          jsonb NOT NULL,
    last_active_at timestamptz NOT NULL,
    abandoned_at   timestamptz NOT NULL
);
CREATE INDEX carts_abandoned_at ON carts_abandoned (abandoned_at DESC);
"""

# `dlq_*` is where the letter lies, `source_*` where the record lay that could not be handled.
DEAD_LETTERS = """
CREATE TABLE dead_letters (
    id               text PRIMARY KEY,
    domain           text NOT NULL,
    dlq_topic        text NOT NULL,
    dlq_partition    integer NOT NULL,
    dlq_offset       bigint NOT NULL,
    source_topic     text,
    source_partition integer,
    source_offset    bigint,
    key              text,
    value            bytea,
    reason           text NOT NULL,
    error            text,
    stack            text,
    attempt          integer NOT NULL,
    headers          jsonb NOT NULL,
    failed_at        timestamptz NOT NULL
);
CREATE INDEX dead_letters_domain ON dead_letters (domain, failed_at DESC);
CREATE INDEX dead_letters_reason ON dead_letters (reason);
"""

USERS = """
CREATE TABLE users (
    user_id       uuid PRIMARY KEY,
    email         text NOT NULL,
    password_hash text NOT NULL,
    role          text NOT NULL DEFAULT 'customer' CHECK (role IN ('customer', 'staff')),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
"""

TABLES = (
    "products",
    "stock_levels",
    "stock_movements",
    "orders",
    "order_lines",
    "order_charges",
    "order_events",
    "payments",
    "carts_abandoned",
    "dead_letters",
    "users",
)


def upgrade() -> None:
    # Trigrams preselect, edit distance decides: what search forgives in a misspelt word.
    for extension in ("pg_trgm", "fuzzystrmatch"):
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA public")
    # array_to_string is only stable, since an element's text may depend on settings; for text it does not.
    op.execute(
        "CREATE OR REPLACE FUNCTION public.ecommerce_words(words text[]) RETURNS text"
        " LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT array_to_string(words, ' ') $$"
    )
    for statements in (PRODUCTS, STOCK, ORDERS, CARTS, DEAD_LETTERS, USERS):
        op.execute(statements)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
