"""Supervision: the table of processes, starting and stopping them in order, and their state."""
