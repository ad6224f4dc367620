"""The materialised views: which topics feed which tables, indices and keys, and the queries of search."""
