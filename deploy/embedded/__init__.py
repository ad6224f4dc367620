"""Real servers as child processes, from packages: Kafka, PostgreSQL, Redis; Elasticsearch as a test peer."""
