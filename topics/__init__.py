"""The one registry of topics, and their creation and verification on a broker."""
