"""The HTTP side of the platform: commands in, queries out. It speaks through topics and views only."""
