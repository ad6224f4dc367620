"""Orders: rows for reading one and lists, events for its history, documents to be found by."""
