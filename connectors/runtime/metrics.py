"""What a sink connector counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("ecommerce_sink_records", "Records written to the view.", ["sink", "topic"])
BATCHES = Counter("ecommerce_sink_batches", "Batches written to the view.", ["sink"])
BATCH_RECORDS = Histogram(
    "ecommerce_sink_batch_records",
    "Records per batch.",
    ["sink"],
    buckets=(1, 5, 20, 100, 500, 1000, 2000, 5000),
)
FLUSH_SECONDS = Histogram("ecommerce_sink_flush_seconds", "Time that a batch took to be durable.", ["sink"])
REFUSED = Counter("ecommerce_sink_dead_letters", "Records sent to the dead letters.", ["sink", "reason"])
RETRIES = Counter("ecommerce_sink_retries", "Batches put off because the server was away.", ["sink"])
LAG = Gauge("ecommerce_sink_lag_records", "Records not yet written.", ["sink", "topic", "partition"])
UP = Gauge("ecommerce_sink_up", "1 while the view's server takes batches, else 0.", ["sink"])
