"""Real servers as child processes, from packages: Kafka, PostgreSQL, Redis, and Elasticsearch as a test peer."""
