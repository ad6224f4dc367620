"""Producing recorded records again: into a topic, or into the dataflow in memory."""
