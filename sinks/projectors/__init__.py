"""From messages to rows, documents and values: pure functions, one module per aggregate."""
