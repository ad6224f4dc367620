"""What each consumer group has yet to read, in records and in seconds."""
