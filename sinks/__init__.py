"""The materialised views: which topics feed which tables, indices and keys."""
