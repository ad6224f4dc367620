"""Product search: one interface, served by PostgreSQL or, where one is configured, by Elasticsearch."""
