"""What a source connector counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("ecommerce_source_records", "Records published.", ["source", "topic"])
BATCH_RECORDS = Histogram(
    "ecommerce_source_batch_records", "Rows per batch.", ["source"], buckets=(1, 5, 20, 100, 500, 1000, 2000)
)
PUBLISH_SECONDS = Histogram(
    "ecommerce_source_publish_seconds", "Time from a batch's rows to the broker's answer.", ["source"]
)
DELAY_SECONDS = Histogram(
    "ecommerce_source_delay_seconds", "Time from a row's writing to the broker's answer.", ["source"]
)
REFUSED = Counter("ecommerce_source_dead_letters", "Rows sent to the dead letters.", ["source"])
RETRIES = Counter("ecommerce_source_retries", "Batches put off because a server was away.", ["source"])
LAG = Gauge("ecommerce_source_lag_records", "Rows not yet published.", ["source"])
LAG_SECONDS = Gauge("ecommerce_source_lag_seconds", "Age of the oldest row not yet published.", ["source"])
UP = Gauge("ecommerce_source_up", "1 while rows can be read and published, else 0.", ["source"])
ACTIVE = Gauge(
    "ecommerce_source_active", "1 in the instance that publishes, 0 in one that stands by.", ["source"]
)
