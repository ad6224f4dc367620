"""The sink connector's Elasticsearch side: documents behind aliases, guarded by their versions."""
