"""Service health: every running process answers pings."""
