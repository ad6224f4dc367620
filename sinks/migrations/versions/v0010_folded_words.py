"""Search reads what the sinks have folded (`sinks.search.words`), by the rule that queries are folded by.

PostgreSQL's own way with accents and punctuation knew English alone: names in Arabic, Korean or Hindi, with
fractions or soft hyphens, were not found by their own words. `folded` holds name, categories and description;
a row that an older sink writes has none, and is found by the old rule until it is written again.
"""

from alembic import op
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from sinks.search.words import folded_product

revision = "0010"
down_revision = "0009"

_ROWS = 5_000

_OF = "coalesce(folded[{at}], public.ecommerce_spaced({column}))"
_NAME = _OF.format(at=1, column="name")
_CATEGORIES = _OF.format(at=2, column="public.ecommerce_words(categories)")
_DESCRIPTION = _OF.format(at=3, column="description")

DOCUMENT = f"""
ALTER TABLE products DROP COLUMN document;
ALTER TABLE products ADD COLUMN document tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('public.ecommerce_stems'::regconfig, {_NAME}), 'A')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig, public.ecommerce_spaced(sku)), 'A')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig, {_CATEGORIES}), 'B')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig, {_DESCRIPTION}), 'C')
    || setweight(to_tsvector('public.ecommerce_plain'::regconfig, {_NAME}), 'D')
) STORED;
CREATE INDEX products_document ON products USING gin (document);
"""

BEFORE = """
ALTER TABLE products DROP COLUMN document;
ALTER TABLE products DROP COLUMN folded;
ALTER TABLE products ADD COLUMN document tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('public.ecommerce_stems'::regconfig, public.ecommerce_spaced(name)), 'A')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig, public.ecommerce_spaced(sku)), 'A')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig,
                             public.ecommerce_spaced(public.ecommerce_words(categories))), 'B')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig, public.ecommerce_spaced(description)), 'C')
    || setweight(to_tsvector('public.ecommerce_plain'::regconfig, public.ecommerce_spaced(name)), 'D')
) STORED;
CREATE INDEX products_document ON products USING gin (document);
"""


def upgrade() -> None:
    op.execute("ALTER TABLE products ADD COLUMN folded text[]")
    connection = op.get_bind()
    page = text(
        "SELECT sku, name, categories, description FROM products WHERE sku > :after ORDER BY sku LIMIT :most"
    )
    fold = text("UPDATE products SET folded = :folded WHERE sku = :sku").bindparams(
        bindparam("folded", type_=ARRAY(TEXT))
    )
    after = ""
    while rows := connection.execute(page, {"after": after, "most": _ROWS}).all():
        connection.execute(
            fold,
            [
                {"sku": row.sku, "folded": folded_product(row.name, row.categories, row.description)}
                for row in rows
            ],
        )
        after = rows[-1].sku
    op.execute(DOCUMENT)


def downgrade() -> None:
    op.execute(BEFORE)
