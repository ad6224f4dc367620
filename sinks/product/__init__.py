"""Products: rows and documents to be found by, and what tells caches of a newer version."""
