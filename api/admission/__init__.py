"""Whether a command is admitted: refused early, while what was admitted can still be processed in time."""
