"""A small world, explored in all its interleavings."""
