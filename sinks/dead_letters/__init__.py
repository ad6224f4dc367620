"""Dead letters of all domains as rows."""
