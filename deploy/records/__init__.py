"""Records as bytes: reading ranges of topics, and files of recorded records."""
