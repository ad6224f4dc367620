"""Search reads one document per product: folded, stemmed, no stop words, with the name's words as written.

Weights: A the name's stems and the SKU, B the categories, C the description, D the name's words unstemmed,
for words that are being typed. Punctuation is taken out first, because PostgreSQL's parser takes `Set/3` for
a file and what stands in pointed brackets for markup.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

# Made once for all schemas. The dictionary is snowball's without stop words: the t of "t-light" is a word.
ANALYSIS = """
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;
DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_ts_dict WHERE dictname = 'ecommerce_stems') THEN
        CREATE TEXT SEARCH DICTIONARY public.ecommerce_stems (TEMPLATE = snowball, Language = english);
        CREATE TEXT SEARCH CONFIGURATION public.ecommerce_stems (COPY = pg_catalog.simple);
        ALTER TEXT SEARCH CONFIGURATION public.ecommerce_stems
            ALTER MAPPING FOR asciiword, word, hword, hword_part, asciihword, hword_asciipart
            WITH public.unaccent, public.ecommerce_stems;
        CREATE TEXT SEARCH CONFIGURATION public.ecommerce_plain (COPY = pg_catalog.simple);
        ALTER TEXT SEARCH CONFIGURATION public.ecommerce_plain
            ALTER MAPPING FOR asciiword, word, hword, hword_part, asciihword, hword_asciipart
            WITH public.unaccent, pg_catalog.simple;
    END IF;
END
$do$;
CREATE OR REPLACE FUNCTION public.ecommerce_spaced(given text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT regexp_replace(given, '[[:punct:][:space:]]+', ' ', 'g') $$;
"""

DOCUMENT = """
ALTER TABLE products DROP COLUMN document, DROP COLUMN name_words;
ALTER TABLE products ADD COLUMN document tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('public.ecommerce_stems'::regconfig, public.ecommerce_spaced(name)), 'A')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig, public.ecommerce_spaced(sku)), 'A')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig,
                             public.ecommerce_spaced(public.ecommerce_words(categories))), 'B')
    || setweight(to_tsvector('public.ecommerce_stems'::regconfig, public.ecommerce_spaced(description)), 'C')
    || setweight(to_tsvector('public.ecommerce_plain'::regconfig, public.ecommerce_spaced(name)), 'D')
) STORED;
CREATE INDEX products_document ON products USING gin (document);
DROP INDEX products_name_trigrams;
"""

BEFORE = """
ALTER TABLE products DROP COLUMN document;
ALTER TABLE products ADD COLUMN document tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('english'::regconfig, translate(name, '<>', '  ')), 'A')
    || setweight(to_tsvector('english'::regconfig, sku), 'A')
    || setweight(to_tsvector('english'::regconfig, public.ecommerce_words(categories)), 'B')
    || setweight(to_tsvector('english'::regconfig, translate(description, '<>', '  ')), 'C')
) STORED, ADD COLUMN name_words tsvector NOT NULL GENERATED ALWAYS AS (
    to_tsvector('simple'::regconfig, translate(name, '<>', '  '))
) STORED;
CREATE INDEX products_document ON products USING gin (document);
CREATE INDEX products_name_words ON products USING gin (name_words);
CREATE INDEX products_name_trigrams ON products USING gin (lower(name) public.gin_trgm_ops);
"""


def upgrade() -> None:
    op.execute(ANALYSIS)
    op.execute(DOCUMENT)


def downgrade() -> None:
    op.execute(BEFORE)
