"""What the PostgreSQL sink counts beside what every sink counts."""

from prometheus_client import Counter

REPEATED = Counter(
    "ecommerce_postgres_repeated_records",
    "Records that were delivered again and not written again: their offsets are in the tables.",
)
